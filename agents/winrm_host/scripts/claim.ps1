# fairlead:claim v1
# Takes the target's folder, and lays a claim that is never edited.
param([string]$Root, [string]$Target, [string]$Owner, [string]$Claim)
# common
Answer {
    Initialize-Root
    foreach ($name in 'claims', 'stickers', 'components', 'operations', 'hooks') { [IO.Directory]::CreateDirectory("$Folder\$name") | Out-Null }
    Hold {
        Assert-Owner $Owner
        if (-not [IO.File]::Exists("$Folder\owner.json")) { Write-Text "$Folder\owner.json" $Owner }
        Assert-Highest $Claim
        [IO.File]::WriteAllText("$Folder\claims\$Claim", '')
    }
    @{ slots = Get-Slots $false; hooks = @([IO.Directory]::GetDirectories("$Folder\hooks") | ForEach-Object { [IO.Path]::GetFileName($_) }) }
}
