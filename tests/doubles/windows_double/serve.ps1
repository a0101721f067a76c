# Runs what comes in on standard input, a line of JSON each, as a WinRM host would: one runspace, which scripts and their parameters are given to.
param([string]$Types, [string]$Program)
$ErrorActionPreference = 'Stop'
$built = "$env:WINDOWS_DOUBLE/types.dll"
Add-Type -TypeDefinition ([IO.File]::ReadAllText("$PSScriptRoot/types.cs")) -OutputAssembly $built
. "$PSScriptRoot/standing.ps1"
[WindowsDouble.Management]::Program = $Program
[WindowsDouble.Management]::Prelude = ". '$PSScriptRoot/standing.ps1'"
$World = [hashtable]::Synchronized(@{ Services = @{}; Listeners = @{}; Crashes = @(); Stubborn = $false; Fails = $null; Refuses = 0 })
$space = [runspacefactory]::CreateRunspace()
# What it begins ends with the thread that began it.
$space.ThreadOptions = 'ReuseThread'
$space.Open()
$space.SessionStateProxy.SetVariable('World', $World)

function Invoke-Text([string]$Text, [string]$Given) {
    $shell = [powershell]::Create()
    $shell.Runspace = $space
    [void]$shell.AddScript($Text)
    if ($Given) { [void]$shell.AddParameters([Management.Automation.PSSerializer]::Deserialize($Given)) }
    $said = @{ output = @(); kinds = @(); errors = @() }
    try {
        foreach ($one in $shell.Invoke()) { $said.output += "$one"; $said.kinds += $one.PSObject.BaseObject.GetType().Name }
    }
    catch { $said.errors += "$($_.Exception.InnerException.Message) $($_.Exception.InnerException.ErrorRecord.InvocationInfo.PositionMessage)" }
    $said.errors += @($shell.Streams.Error | ForEach-Object { "$_ $($_.InvocationInfo.PositionMessage)" })
    $shell.Dispose()
    return $said
}

$said = Invoke-Text ([IO.File]::ReadAllText("$PSScriptRoot/functions.ps1")) ''
while ($null -ne ($line = [Console]::In.ReadLine())) {
    $asked = ConvertFrom-Json $line -AsHashtable
    $said = Invoke-Text $asked.text $asked.given
    [Console]::Out.WriteLine((ConvertTo-Json $said -Compress -Depth 4))
    [Console]::Out.Flush()
}
foreach ($service in $World.Services.Values) { if ($null -ne $service.Process -and -not $service.Process.HasExited) { $service.Process.Kill() } }
