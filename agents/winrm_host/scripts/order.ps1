# fairlead:order v1
# One order to one component, by the highest claim. Whatever it takes is done here, so the network may fail meanwhile.
param(
    [string]$Root, [string]$Target, [string]$Claim, [string]$Operation, [string]$Do, [string]$Component, [string]$Number = '', [double]$Grace = 0,
    [string]$Spec = '', [string]$Path = '', [string]$Account = '', [string]$Sid = '', [string[]]$Instead = @(),
    [string[]]$Names = @(), [string[]]$Values = @()
)
# common

# The service's own key holds its environment. It is closed before anything is in it: what is secret there only administrators may read.
function Set-Environment([string]$Service, [string[]]$Pairs) {
    $key = [Microsoft.Win32.Registry]::LocalMachine.OpenSubKey("SYSTEM\CurrentControlSet\Services\$Service", 'ReadWriteSubTree', 'FullControl')
    try {
        $rules = New-Object System.Security.AccessControl.RegistrySecurity
        $rules.SetAccessRuleProtection($true, $false)
        foreach ($id in 'S-1-5-18', 'S-1-5-32-544') {
            $who = New-Object System.Security.Principal.SecurityIdentifier $id
            $rules.AddAccessRule((New-Object System.Security.AccessControl.RegistryAccessRule $who, 'FullControl', 'ContainerInherit', 'None', 'Allow'))
        }
        $key.SetAccessControl($rules)
        $key.SetValue('Environment', $Pairs, 'MultiString')
    }
    finally { $key.Dispose() }
}

function New-OpenFolder([string]$At) {
    [IO.Directory]::CreateDirectory($At) | Out-Null
    $rules = [IO.Directory]::GetAccessControl($At)
    $who = if ($Sid) { New-Object System.Security.Principal.SecurityIdentifier $Sid } else { New-Object System.Security.Principal.NTAccount $Account }
    $rules.AddAccessRule((New-Object System.Security.AccessControl.FileSystemAccessRule $who, 'Modify', 'ContainerInherit, ObjectInherit', 'None', 'Allow'))
    [IO.Directory]::SetAccessControl($At, $rules)
}

function Start-New {
    foreach ($other in $Instead) { Stop-Slot $other $Grace }
    # What is left of this very order where it was broken off: nobody else knows of it.
    Stop-Slot $Component $Grace
    $counted = Read-Text "$Folder\runs"
    $new = 1 + $(if ($null -eq $counted) { 0 } else { [int]$counted })
    Write-Text "$Folder\runs" "$new"
    $at = "$Folder\components\$Component"
    New-OpenFolder "$at\home"
    New-OpenFolder "$at\runs\$new\logs"
    Write-Text "$at\runs\$new\spec.json" $Spec
    Write-Run $Component "$new" $Claim (Get-Now)
    $name = "fairlead.$Target.$Component.$new"
    $said = Invoke-CimMethod -ClassName Win32_Service -MethodName Create -Arguments @{
        Name = $name; DisplayName = "Fairlead $Target $Component ($new)"; PathName = $Path; ServiceType = [byte]16; ErrorControl = [byte]1
        StartMode = 'Manual'; DesktopInteract = $false; StartName = $Account; StartPassword = ''
    }
    if ($said.ReturnValue -ne 0) { Refuse 'start_failed' "$Component cannot be made a service (error $($said.ReturnValue))" }
    $pairs = @("FAIRLEAD_HOME=$at\home", "FAIRLEAD_LOGS=$at\runs\$new\logs")
    for ($i = 0; $i -lt $Names.Count; $i++) { $pairs += "$($Names[$i])=$($Values[$i])" }
    Set-Environment $name $pairs
    Start-Run $Component "$new"
}

# Whether it came up is told by whoever looks at it afterwards.
function Start-Run([string]$What, [string]$Which) {
    $service = Get-RunService $What $Which
    if ($null -ne $service) { Invoke-CimMethod -InputObject $service -MethodName StartService | Out-Null }
}

# What was last confirmed stays, stopped; anything else goes.
function Stop-Slot([string]$What, [double]$Patience) {
    $run = Read-Run $What
    if ($null -eq $run) { return }
    if ($run.number -eq (Read-Text "$Folder\components\$What\kept")) { Stop-Run $What $run.number $Patience }
    else { Remove-Run $What $run.number $Patience }
    [IO.File]::Delete("$Folder\components\$What\run")
}

function Restore {
    Stop-Slot $Component $Grace
    $kept = Read-Text "$Folder\components\$Component\kept"
    if ($null -ne $kept) {
        Write-Run $Component $kept $Claim (Get-Now)
        Start-Run $Component $kept
    }
}

function Confirm {
    Adopt
    $at = "$Folder\components\$Component"
    $kept = Read-Text "$at\kept"
    Write-Text "$at\kept" $Number
    if ($null -ne $kept -and $kept -ne $Number) { Remove-Run $Component $kept $Grace }
    $service = Get-RunService $Component $Number
    if ($null -eq $service) { return }
    Invoke-CimMethod -InputObject $service -MethodName ChangeStartMode -Arguments @{ StartMode = 'Automatic' } | Out-Null
    $null = & "$env:SystemRoot\System32\sc.exe" failure $service.Name 'reset=' '86400' 'actions=' 'restart/1000/restart/5000/restart/30000'
    $null = & "$env:SystemRoot\System32\sc.exe" failureflag $service.Name '1'
}

function Adopt {
    $run = Read-Run $Component
    if ($null -eq $run -or $run.number -ne $Number) { Refuse 'target_unreachable' "$Component has changed meanwhile" }
    Write-Run $Component $Number $Claim $run.created
}

function Remove-Slot {
    $at = "$Folder\components\$Component"
    Stop-Slot $Component $Grace
    $kept = Read-Text "$at\kept"
    if ($null -ne $kept) { Remove-Run $Component $kept $Grace }
    if ([IO.Directory]::Exists($at)) { Remove-Item -LiteralPath $at -Recurse -Force }
}

function Stop-Mine([bool]$AnybodysToo) {
    $run = Read-Run $Component
    if ($null -ne $run -and $run.number -eq $Number -and ($AnybodysToo -or $run.holder -eq $Claim)) { Stop-Slot $Component $Grace }
}

Answer {
    Once $Operation {
        if ($Do -eq 'undo') { Stop-Mine $false; return }
        Assert-Highest $Claim
        switch ($Do) {
            'start' { Start-New }
            'stop' { Stop-Mine $true }
            'restore' { Restore }
            'adopt' { Adopt }
            'confirm' { Confirm }
            'remove' { Remove-Slot }
            default { throw "there is no order $Do" }
        }
        Assert-Highest $Claim
    }
    @{ slots = Get-Slots $false }
}
