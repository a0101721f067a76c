# fairlead:sticker v1
# Leaves the target's record: a file for each claim, so a late writer cannot cover that of a higher one.
param([string]$Root, [string]$Target, [string]$Claim, [string]$Record)
# common
Answer {
    [IO.Directory]::CreateDirectory("$Folder\stickers") | Out-Null
    Hold {
        Assert-Highest $Claim
        Write-Text "$Folder\stickers\$Claim" $Record
        foreach ($path in [IO.Directory]::GetFiles("$Folder\stickers")) {
            if ([Version][IO.Path]::GetFileName($path) -lt [Version]$Claim) { [IO.File]::Delete($path) }
        }
    }
    @{ left = $true }
}
