Set-StrictMode -Version 2.0
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$Folder = "$Root\$Target"
$script:Refusal = $null

# A block that is called sees the variables of all that called it, so each function here has its own name for the block that it is given.

function Answer([scriptblock]$Whole) {
    try { $said = @{ done = @(& $Whole)[-1] } }
    catch {
        $said = Explain $_.Exception
        if ($null -eq $said) { throw }
    }
    ConvertTo-Json -InputObject $said -Depth 8 -Compress
}

function Refuse([string]$Code, [string]$Detail, [hashtable]$Fields = @{}) {
    $script:Refusal = @{ code = $Code; detail = $Detail; fields = $Fields }
    throw $Detail
}

function Explain($Cause) {
    if ($null -ne $script:Refusal) { return $script:Refusal }
    while ($null -ne $Cause.InnerException) { $Cause = $Cause.InnerException }
    # ERROR_HANDLE_DISK_FULL and ERROR_DISK_FULL
    if ($Cause -is [IO.IOException] -and @(0x27, 0x70) -contains ($Cause.HResult -band 0xFFFF)) {
        return @{ code = 'target_full'; detail = $Cause.Message; fields = @{} }
    }
    return $null
}

function Get-Now { [long](([DateTime]::UtcNow - [DateTime]'1970-01-01').TotalMilliseconds) }

function Read-Text([string]$Path) {
    if ([IO.File]::Exists($Path)) { return [IO.File]::ReadAllText($Path) }
    return $null
}

function Write-Text([string]$Path, [string]$Text) {
    $beside = "$Path.$([Guid]::NewGuid().ToString('N'))"
    [IO.File]::WriteAllText($beside, $Text)
    if ([IO.File]::Exists($Path)) { [IO.File]::Replace($beside, $Path, [NullString]::Value) }
    else { [IO.File]::Move($beside, $Path) }
}

function Read-Tail([string]$Path, [int]$Last, [int]$Bytes) {
    $file = [IO.File]::Open($Path, 'Open', 'Read', 'ReadWrite, Delete')
    try {
        [void]$file.Seek([Math]::Max(0, $file.Length - $Bytes), 'Begin')
        $buffer = New-Object byte[] $Bytes
        $count = $file.Read($buffer, 0, $Bytes)
        $all = [Text.Encoding]::UTF8.GetString($buffer, 0, $count).TrimEnd().Replace("`r", '').Split("`n")
        # Half a secret may stand in a line that was cut, which nobody would know for one.
        if ($file.Length -gt $Bytes) { $all = @($all | Select-Object -Skip 1) }
        return [string]::Join("`n", @($all | Select-Object -Last $Last))
    }
    finally { $file.Dispose() }
}

# Administrators and the system write below the root, services read: whoever else could write there could choose what runs.
function Initialize-Root {
    if (-not [IO.Directory]::Exists($Root)) { [IO.Directory]::CreateDirectory($Root) | Out-Null }
    $rules = [IO.Directory]::GetAccessControl($Root)
    $owner = $rules.GetOwner([System.Security.Principal.SecurityIdentifier]).Value
    $me = [System.Security.Principal.WindowsIdentity]::GetCurrent().User.Value
    if (@('S-1-5-18', 'S-1-5-32-544', $me) -notcontains $owner) { Refuse 'folder_unsafe' "$Root belongs to somebody else, who may write there" }
    if ($rules.AreAccessRulesProtected) { return }
    $rules = New-Object System.Security.AccessControl.DirectorySecurity
    $rules.SetAccessRuleProtection($true, $false)
    foreach ($entry in @(@('S-1-5-18', 'FullControl'), @('S-1-5-32-544', 'FullControl'), @('S-1-5-11', 'ReadAndExecute'))) {
        $who = New-Object System.Security.Principal.SecurityIdentifier $entry[0]
        $rules.AddAccessRule((New-Object System.Security.AccessControl.FileSystemAccessRule $who, $entry[1], 'ContainerInherit, ObjectInherit', 'None', 'Allow'))
    }
    [IO.Directory]::SetAccessControl($Root, $rules)
}

function Hold([scriptblock]$Held) {
    $lock = $null
    $until = [DateTime]::UtcNow.AddSeconds(60)
    while ($null -eq $lock) {
        try { $lock = [IO.File]::Open("$Folder\lock", 'OpenOrCreate', 'ReadWrite', 'None') }
        catch [IO.IOException] {
            if ([DateTime]::UtcNow -gt $until) { Refuse 'target_unreachable' "somebody else has been at work on $Target for a minute" }
            Start-Sleep -Milliseconds 100
        }
    }
    try { & $Held } finally { $lock.Dispose() }
}

function Get-Claims {
    if ([IO.Directory]::Exists("$Folder\claims")) {
        foreach ($path in [IO.Directory]::GetFiles("$Folder\claims")) { [IO.Path]::GetFileName($path) }
    }
}

function Assert-Highest([string]$Mine) {
    foreach ($other in @(Get-Claims)) {
        if ([Version]$other -gt [Version]$Mine) {
            Refuse 'fence_lost' "claim $Mine gave way to $other" @{ claim = $Mine; highest = $other }
        }
    }
}

function Assert-Owner([string]$Owner) {
    $found = Read-Text "$Folder\owner.json"
    if ($null -ne $found -and $found -cne $Owner) { Refuse 'foreign_workload' "$Target belongs to $found" }
}

# What an operation has done it does not do again: whoever got no answer asks again under the same id.
function Once([string]$Id, [scriptblock]$Change) {
    $done = "$Folder\operations\$Id"
    Hold {
        if (-not [IO.File]::Exists($done)) {
            & $Change | Out-Null
            [IO.File]::WriteAllText($done, '')
            $old = @(Get-ChildItem -LiteralPath "$Folder\operations" | Sort-Object LastWriteTimeUtc -Descending | Select-Object -Skip 100)
            if ($old.Count) { $old | Remove-Item -Force }
        }
    }
}

# Services. Each run of a component has one of its own, so the one to go back to stays as it was, with all that it was given.

function Get-RunService([string]$Component, [string]$Number) {
    Get-CimInstance -ClassName Win32_Service -Filter "Name='fairlead.$Target.$Component.$Number'"
}

# Numbers are used again: whoever is older than the process that has its parent's number is no child of it.
function Get-Family([int]$Leader) {
    $parents = @{}
    $born = @{}
    foreach ($process in @(Get-CimInstance -ClassName Win32_Process)) {
        $parents[[int]$process.ProcessId] = [int]$process.ParentProcessId
        $born[[int]$process.ProcessId] = $process.CreationDate
    }
    $family = @($Leader)
    do {
        $before = $family.Count
        $family += @($parents.Keys | Where-Object {
            $family -contains $parents[$_] -and $family -notcontains $_ -and $born[$_] -ge $born[$parents[$_]]
        })
    } while ($family.Count -ne $before)
    return $family
}

function Stop-Run([string]$Component, [string]$Number, [double]$Grace) {
    $service = Get-RunService $Component $Number
    if ($null -eq $service -or $service.State -eq 'Stopped') { return }
    Invoke-CimMethod -InputObject $service -MethodName StopService | Out-Null
    $until = [DateTime]::UtcNow.AddSeconds($Grace)
    while ((Get-RunService $Component $Number).State -ne 'Stopped' -and [DateTime]::UtcNow -lt $until) { Start-Sleep -Milliseconds 100 }
    $service = Get-RunService $Component $Number
    if ($service.State -eq 'Stopped') { return }
    # Without a process it has no number but 0, which is the family of all.
    if ($service.ProcessId) { Stop-Process -Id @(Get-Family ([int]$service.ProcessId)) -Force -ErrorAction SilentlyContinue }
    $until = [DateTime]::UtcNow.AddSeconds(15)
    while ((Get-RunService $Component $Number).State -ne 'Stopped') {
        if ([DateTime]::UtcNow -gt $until) { throw "the service of $Component does not end" }
        Start-Sleep -Milliseconds 100
    }
}

function Remove-Run([string]$Component, [string]$Number, [double]$Grace) {
    Stop-Run $Component $Number $Grace
    $service = Get-RunService $Component $Number
    if ($null -ne $service) { Invoke-CimMethod -InputObject $service -MethodName Delete | Out-Null }
    $path = "$Folder\components\$Component\runs\$Number"
    if ([IO.Directory]::Exists($path)) { Remove-Item -LiteralPath $path -Recurse -Force }
}

# A component's two pointers: `run` holds number, claim and time of what should run, `kept` the number of what to go back to.

function Read-Run([string]$Component) {
    $text = Read-Text "$Folder\components\$Component\run"
    if ($null -eq $text) { return $null }
    $words = $text.Split(' ')
    return @{ number = $words[0]; holder = $words[1]; created = [long]$words[2] }
}

function Write-Run([string]$Component, [string]$Number, [string]$Holder, [long]$Created) {
    Write-Text "$Folder\components\$Component\run" "$Number $Holder $Created"
}

function Get-Slots([bool]$Closely) {
    $slots = @{}
    if ([IO.Directory]::Exists("$Folder\components")) {
        foreach ($path in [IO.Directory]::GetDirectories("$Folder\components")) {
            $name = [IO.Path]::GetFileName($path)
            $slots[$name] = Get-Slot $name $Closely
        }
    }
    return $slots
}

function Get-Slot([string]$Component, [bool]$Closely) {
    $at = "$Folder\components\$Component"
    $run = Read-Run $Component
    $kept = Read-Text "$at\kept"
    $specs = @{}
    foreach ($number in @($kept, $(if ($null -ne $run) { $run.number }))) {
        if ($null -ne $number) { $specs["$number"] = Read-Text "$at\runs\$number\spec.json" }
    }
    if ($null -ne $run) { Add-Finding $Component $run $Closely }
    return @{ run = $run; kept = $kept; specs = $specs }
}

function Add-Finding([string]$Component, [hashtable]$Run, [bool]$Closely) {
    $Run.pid = 0; $Run.started = $null; $Run.exit = $null; $Run.exits = 0; $Run.state = 'Missing'
    $service = Get-RunService $Component $Run.number
    if ($null -eq $service) { return }
    $Run.state = $service.State
    $Run.pid = [int]$service.ProcessId
    # 1066: the service has an error code of its own
    $Run.exit = if ($service.ExitCode -eq 1066) { [long]$service.ServiceSpecificExitCode } else { [long]$service.ExitCode }
    $process = if ($Run.pid) { Get-Process -Id $Run.pid -ErrorAction SilentlyContinue } else { $null }
    if ($null -ne $process) {
        $Run.started = [long](($process.StartTime.ToUniversalTime() - [DateTime]'1970-01-01').TotalMilliseconds)
    }
    if ($Closely) {
        # 7031 and 7034: it ended unexpectedly; the first property is its display name
        $what = @{ LogName = 'System'; ProviderName = 'Service Control Manager'; Id = 7031, 7034 }
        $events = @(Get-WinEvent -FilterHashtable $what -ErrorAction SilentlyContinue)
        $Run.exits = @($events | Where-Object { $_.Properties[0].Value -eq $service.DisplayName }).Count
    }
}

function Get-Listeners([int]$Port) {
    $found = @(Get-NetTCPConnection -State Listen -LocalPort $Port -ErrorAction SilentlyContinue)
    return @($found | ForEach-Object { [int]$_.OwningProcess } | Select-Object -Unique)
}
