# fairlead:fit v1
# What the host tells of itself. Changes nothing.
param([string]$Root, [string]$Target)
# common
Answer {
    $drive = New-Object IO.DriveInfo ([IO.Path]::GetPathRoot($Root))
    $me = New-Object System.Security.Principal.WindowsPrincipal ([System.Security.Principal.WindowsIdentity]::GetCurrent())
    @{
        windows = [Environment]::OSVersion.Version.ToString()
        powershell = $PSVersionTable.PSVersion.ToString()
        time = Get-Now
        free = [long]$drive.AvailableFreeSpace
        administrator = $me.IsInRole([System.Security.Principal.WindowsBuiltInRole]::Administrator)
    }
}
