# Puts the classes of types.cs in the place of those that only Windows has.
Add-Type -Path "$env:WINDOWS_DOUBLE/types.dll"
$places = @{
    'IO.Directory' = 'Folders'; 'IO.FileStream' = 'AppendStream'; 'Microsoft.Win32.Registry' = 'Registry'; 'System.Management.ManagementClass' = 'Management'
    'System.Security.AccessControl.DirectorySecurity' = 'Rules'; 'System.Security.AccessControl.RegistrySecurity' = 'Rules'
    'System.Security.AccessControl.FileSystemAccessRule' = 'Rule'; 'System.Security.AccessControl.RegistryAccessRule' = 'Rule'
    'System.Security.Principal.NTAccount' = 'Who'; 'System.Security.Principal.SecurityIdentifier' = 'Who'
    'System.Security.Principal.WindowsBuiltInRole' = 'Role'; 'System.Security.Principal.WindowsIdentity' = 'Identity'
    'System.Security.Principal.WindowsPrincipal' = 'Principal'
}
$accelerators = [psobject].Assembly.GetType('System.Management.Automation.TypeAccelerators')
foreach ($name in $places.Keys) { $accelerators::Add($name, [type]"WindowsDouble.$($places[$name])") }
