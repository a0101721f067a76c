# fairlead:tail v1
# The end of what a component's present run wrote, from the file in its log folder that was written last.
param([string]$Root, [string]$Target, [string]$Owner, [string]$Component, [int]$Lines, [int]$Most)
# common
Answer {
    Assert-Owner $Owner
    $run = Read-Run $Component
    $logs = "$Folder\components\$Component\runs\$(if ($null -ne $run) { $run.number })\logs"
    $newest = $null
    if ($null -ne $run -and [IO.Directory]::Exists($logs)) {
        $newest = Get-ChildItem -LiteralPath $logs -File -Recurse | Sort-Object LastWriteTimeUtc | Select-Object -Last 1
    }
    if ($null -eq $newest) { return @{ text = '' } }
    $file = [IO.File]::Open($newest.FullName, 'Open', 'Read', 'ReadWrite, Delete')
    try {
        [void]$file.Seek([Math]::Max(0, $file.Length - $Most), 'Begin')
        $bytes = New-Object byte[] $Most
        $count = $file.Read($bytes, 0, $Most)
        $all = [Text.Encoding]::UTF8.GetString($bytes, 0, $count).TrimEnd().Replace("`r", '').Split("`n")
        # Half a secret may stand in a line that was cut, which nobody would know for one.
        if ($file.Length -gt $Most) { $all = @($all | Select-Object -Skip 1) }
        @{ text = [string]::Join("`n", @($all | Select-Object -Last $Lines)) }
    }
    finally { $file.Dispose() }
}
