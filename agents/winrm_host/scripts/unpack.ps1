# fairlead:unpack v1
# Checks what was brought, unpacks it beside, and only then puts it in its place. An image that is there already stays.
param([string]$Root, [string]$Target, [string]$Name, [string]$Sha256, [string]$Image, [string]$Note)
# common
Answer {
    $packed = "$Root\incoming\$Name"
    if ([IO.Directory]::Exists("$Root\releases\$Image")) {
        if ([IO.File]::Exists($packed)) { [IO.File]::Delete($packed) }
        return @{ matches = $true }
    }
    $whole = [IO.File]::Exists($packed) -and (Get-FileHash -LiteralPath $packed -Algorithm SHA256).Hash -eq $Sha256
    if (-not $whole) {
        if ([IO.File]::Exists($packed)) { [IO.File]::Delete($packed) }
        return @{ matches = $false }
    }
    foreach ($folder in 'releases', 'images') { [IO.Directory]::CreateDirectory("$Root\$folder") | Out-Null }
    $beside = "$Root\incoming\$([Guid]::NewGuid().ToString('N'))"
    Add-Type -AssemblyName System.IO.Compression.FileSystem
    try {
        [IO.Compression.ZipFile]::ExtractToDirectory($packed, $beside)
        Write-Text "$Root\images\$Image.json" $Note
        if (-not [IO.Directory]::Exists("$Root\releases\$Image")) { [IO.Directory]::Move($beside, "$Root\releases\$Image") }
    }
    finally { if ([IO.Directory]::Exists($beside)) { Remove-Item -LiteralPath $beside -Recurse -Force } }
    [IO.File]::Delete($packed)
    @{ matches = $true }
}
