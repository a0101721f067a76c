# Stands in for the cmdlets that only Windows has. A service is a real process of this machine, with the environment of its key in the registry.

function Show-Service($Service) {
    $running = $null -ne $Service.Process -and -not $Service.Process.HasExited
    $ended = if ($null -ne $Service.Process -and -not $running) { $Service.Process.ExitCode } else { 0 }
    [pscustomobject]@{
        Name = $Service.Name; DisplayName = $Service.DisplayName; StartMode = $Service.StartMode; StartName = $Service.StartName
        State = $(if ($running) { 'Running' } else { 'Stopped' }); ProcessId = [uint32]$(if ($running) { $Service.Process.Id } else { 0 })
        ExitCode = [uint32]$(if ($ended) { 1066 } else { 0 }); ServiceSpecificExitCode = [uint32]$ended
    }
}

function Get-CimInstance([string]$ClassName, [string]$Filter) {
    if ($ClassName -eq 'Win32_Service') {
        if ($Filter -notmatch "^Name='([^']+)'$") { throw "a filter as WQL knows it: $Filter" }
        if ($World.Services.ContainsKey($Matches[1])) { Show-Service $World.Services[$Matches[1]] }
        return
    }
    foreach ($process in Get-Process) {
        $parent = if ($null -ne $process.Parent) { $process.Parent.Id } else { 0 }
        [pscustomobject]@{ ProcessId = [uint32]$process.Id; ParentProcessId = [uint32]$parent; CreationDate = $process.StartTime }
    }
}

function Invoke-CimMethod($InputObject, [string]$ClassName, [string]$MethodName, [Collections.IDictionary]$Arguments = @{}) {
    if ($MethodName -eq 'Create') {
        if ($World.Refuses) { return [pscustomobject]@{ ReturnValue = [uint32]$World.Refuses } }
        $World.Services[$Arguments.Name] = @{} + $Arguments
        $World.Services[$Arguments.Name].Process = $null
        [WindowsDouble.Registry]::LocalMachine.Keys["SYSTEM/CurrentControlSet/Services/$($Arguments.Name)"] = New-Object WindowsDouble.Key
        return [pscustomobject]@{ ReturnValue = [uint32]0 }
    }
    if ($MethodName -eq $World.Fails) { throw 'the connection to WMI is broken' }
    if ($null -eq $InputObject) { throw 'there is no such instance' }
    $service = $World.Services[$InputObject.Name]
    switch ($MethodName) {
        'StartService' { Start-Program $service }
        'StopService' { if (-not $World.Stubborn) { $service.Process.Kill(); $service.Process.WaitForExit() } }
        'ChangeStartMode' { $service.StartMode = $Arguments.StartMode }
        'Delete' { $World.Services.Remove($service.Name) }
    }
    [pscustomobject]@{ ReturnValue = [uint32]0 }
}

function Start-Program($Service) {
    $words = $Service.PathName.Split('"', 3)
    $asked = New-Object Diagnostics.ProcessStartInfo 'setpriv', "--pdeathsig KILL $($words[1]) $($words[2])"
    foreach ($pair in [WindowsDouble.Registry]::LocalMachine.Keys["SYSTEM/CurrentControlSet/Services/$($Service.Name)"].Values['Environment']) {
        $asked.Environment[$pair.Split('=', 2)[0]] = $pair.Split('=', 2)[1]
    }
    $asked.RedirectStandardOutput = $true
    $Service.Process = [Diagnostics.Process]::Start($asked)
}

function Get-NetTCPConnection([string]$State, [int]$LocalPort) {
    foreach ($owner in @($World.Listeners[$LocalPort])) { if ($null -ne $owner) { [pscustomobject]@{ OwningProcess = [uint32]$owner } } }
}

function Get-WinEvent([hashtable]$FilterHashtable) {
    foreach ($name in $World.Crashes) { [pscustomobject]@{ Id = 7031; Properties = @([pscustomobject]@{ Value = $name }) } }
}
