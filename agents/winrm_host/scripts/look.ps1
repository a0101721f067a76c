# fairlead:look v1
# What there is on the host of one target, and of the images and programs that it needs. Changes nothing.
param([string]$Root, [string]$Target, [string]$Owner, [string[]]$Images = @(), [string[]]$Programs = @(), [int[]]$Ports = @(), [bool]$Closely = $false)
# common
Answer {
    Assert-Owner $Owner
    $slots = Get-Slots $Closely
    $unpacked = @{}
    foreach ($image in $Images) {
        if ([IO.Directory]::Exists("$Root\releases\$image")) { $unpacked[$image] = Read-Text "$Root\images\$image.json" }
    }
    $present = @{}
    foreach ($program in $Programs) { $present[$program] = [IO.File]::Exists($program) }
    $taken = @()
    foreach ($port in $Ports) {
        $listeners = @(Get-Listeners $port)
        if ($listeners.Count) {
            $ours = @($slots.Values | Where-Object { $null -ne $_.run -and $_.run.pid } | ForEach-Object { Get-Family $_.run.pid })
            if (@($listeners | Where-Object { $ours -notcontains $_ }).Count) { $taken += $port }
        }
    }
    $stickers = @()
    if ([IO.Directory]::Exists("$Folder\stickers")) {
        $stickers = @([IO.Directory]::GetFiles("$Folder\stickers") | ForEach-Object { [IO.Path]::GetFileName($_) } | Sort-Object { [Version]$_ })
    }
    @{
        platform = "windows/$(if ($env:PROCESSOR_ARCHITECTURE -eq 'ARM64') { 'arm64' } else { 'amd64' })"
        powershell = $PSVersionTable.PSVersion.ToString()
        claims = @(Get-Claims)
        slots = $slots
        images = $unpacked
        programs = $present
        taken = @($taken)
        sticker = $(if ($stickers.Count) { Read-Text "$Folder\stickers\$($stickers[-1])" } else { $null })
    }
}
