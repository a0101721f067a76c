# fairlead:claim v1
# Takes the target's folder, and lays a claim that is never edited.
param([string]$Root, [string]$Target, [string]$Owner, [string]$Claim)
# common
Answer {
    # Administrators and the system write here, services read: whoever else could write could choose what runs.
    if (-not [IO.Directory]::Exists($Root)) {
        $rules = New-Object System.Security.AccessControl.DirectorySecurity
        $rules.SetAccessRuleProtection($true, $false)
        foreach ($entry in @(@('S-1-5-18', 'FullControl'), @('S-1-5-32-544', 'FullControl'), @('S-1-5-11', 'ReadAndExecute'))) {
            $who = New-Object System.Security.Principal.SecurityIdentifier $entry[0]
            $rules.AddAccessRule((New-Object System.Security.AccessControl.FileSystemAccessRule $who, $entry[1], 'ContainerInherit, ObjectInherit', 'None', 'Allow'))
        }
        [IO.Directory]::CreateDirectory($Root, $rules) | Out-Null
    }
    $by = (Get-Acl -LiteralPath $Root).GetOwner([System.Security.Principal.SecurityIdentifier]).Value
    if (@('S-1-5-18', 'S-1-5-32-544') -notcontains $by -and $by -ne [System.Security.Principal.WindowsIdentity]::GetCurrent().User.Value) {
        Refuse 'folder_unsafe' "$Root belongs to somebody else, who may write there"
    }
    foreach ($name in 'claims', 'stickers', 'components', 'operations') { [IO.Directory]::CreateDirectory("$Folder\$name") | Out-Null }
    Hold {
        Assert-Owner $Owner
        if (-not [IO.File]::Exists("$Folder\owner.json")) { Write-Text "$Folder\owner.json" $Owner }
        Assert-Highest $Claim
        [IO.File]::WriteAllText("$Folder\claims\$Claim", '')
    }
    @{ slots = Get-Slots $false }
}
