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
    @{ text = Read-Tail $newest.FullName $Lines $Most }
}
