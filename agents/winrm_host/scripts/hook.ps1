# fairlead:hook v1
# Begins a command once in a deployment, says how it goes, or ends and forgets those of earlier deployments. What was begun outlives the connection.
param(
    [string]$Root, [string]$Target, [string]$Claim, [string]$Do, [string]$Hook = '', [string]$Spec = '', [string]$Runner = '',
    [string[]]$Names = @(), [string[]]$Values = @(), [int]$Lines = 0, [int]$Most = 0
)
# common

# Numbers are used again: one that was born at another time is another's.
function Get-Runner([string]$Of) {
    $words = Read-Text "$Of\process"
    if ($null -eq $words) { return $null }
    $process = Get-Process -Id ([int]$words.Split(' ')[0]) -ErrorAction SilentlyContinue
    if ($null -eq $process -or "$($process.StartTime.ToUniversalTime().Ticks)" -ne $words.Split(' ')[1]) { return $null }
    return $process
}

# Values may be secret, and whoever logs what cmdlets are given would write them down: so no cmdlet sees them, and no pipeline.
function Start-Runner([string]$Of) {
    $given = @{}
    foreach ($entry in [Environment]::GetEnvironmentVariables().GetEnumerator()) { $given["$($entry.Key)"] = "$($entry.Value)" }
    for ($i = 0; $i -lt $Names.Count; $i++) { $given[$Names[$i]] = $Values[$i] }
    $given['FAIRLEAD_HOOK'] = $Of
    $pairs = New-Object 'System.Collections.Generic.List[string]'
    foreach ($name in $given.PSBase.Keys) { $pairs.Add("$name=$($given[$name])") }
    $startup = (New-Object System.Management.ManagementClass 'Win32_ProcessStartup').CreateInstance()
    $startup.Properties['EnvironmentVariables'].Value = $pairs.ToArray()
    # Create_Unicode_Environment: without it each character that is not in the machine's code page is lost.
    $startup.Properties['CreateFlags'].Value = [uint32]1024
    $startup.Properties['ShowWindow'].Value = [uint16]0
    $class = New-Object System.Management.ManagementClass 'Win32_Process'
    $asked = $class.PSBase.GetMethodParameters('Create')
    $shell = "$env:SystemRoot\System32\WindowsPowerShell\v1.0\powershell.exe"
    $asked.Properties['CommandLine'].Value = "`"$shell`" -NoLogo -NoProfile -NonInteractive -Command `"& ([scriptblock]::Create([IO.File]::ReadAllText(`$env:FAIRLEAD_HOOK + '\run.ps1')))`""
    $asked.Properties['CurrentDirectory'].Value = $Of
    $asked.Properties['ProcessStartupInformation'].Value = $startup
    return $class.PSBase.InvokeMethod('Create', $asked, $null)
}

# That it is begun is written down before it is: whatever is broken off in between, it is not begun again.
function Start-Hook([string]$Of) {
    if ([IO.File]::Exists("$Of\begun")) { return }
    [IO.Directory]::CreateDirectory($Of) | Out-Null
    Write-Text "$Of\spec.json" $Spec
    Write-Text "$Of\run.ps1" $Runner
    [IO.File]::WriteAllText("$Of\begun", '')
    $made = Start-Runner $Of
    if ($made.Properties['ReturnValue'].Value -ne 0) {
        Write-Text "$Of\end" "could not be begun (error $($made.Properties['ReturnValue'].Value))"
        return
    }
    $process = Get-Process -Id ([int]$made.Properties['ProcessId'].Value) -ErrorAction SilentlyContinue
    if ($null -ne $process) { Write-Text "$Of\process" "$($process.Id) $($process.StartTime.ToUniversalTime().Ticks)" }
}

function Get-End([string]$Of) {
    $end = Read-Text "$Of\end"
    if ($null -ne $end) { return $end }
    if ($null -ne (Get-Runner $Of)) { return $null }
    # It may have ended between the two looks.
    $end = Read-Text "$Of\end"
    if ($null -ne $end) { return $end }
    return 'ended, nobody saw how'
}

function Remove-Earlier([int]$Mine) {
    foreach ($path in [IO.Directory]::GetDirectories("$Folder\hooks")) {
        if ([int][IO.Path]::GetFileName($path).Split('.')[0] -ge $Mine) { continue }
        $old = Get-Runner $path
        if ($null -ne $old) {
            Stop-Process -Id @(Get-Family $old.Id) -Force -ErrorAction SilentlyContinue
            [void]$old.WaitForExit(15000)
        }
        Remove-Item -LiteralPath $path -Recurse -Force
    }
}

Answer {
    $mine = $Claim.Split('.')[0]
    $at = "$Folder\hooks\$mine.$Hook"
    $said = @{ end = $null; text = '' }
    Hold {
        Assert-Highest $Claim
        switch ($Do) {
            'look' { }
            'begin' { Start-Hook $at }
            'forget' { Remove-Earlier ([int]$mine) }
            default { throw "there is nothing to $Do" }
        }
        if ([IO.File]::Exists("$at\begun")) { $said.end = Get-End $at }
    }
    if ($null -ne $said.end -and [IO.File]::Exists("$at\log")) { $said.text = Read-Tail "$at\log" $Lines $Most }
    $said
}
