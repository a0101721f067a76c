# fairlead:write v1
# Writes a piece of a file that is being brought, without a gap: the same call twice makes the same file. Without data it says what there is.
param([string]$Root, [string]$Target, [string]$Name, [long]$Offset = 0, [byte[]]$Data = $null)
# common
Answer {
    Initialize-Root
    [IO.Directory]::CreateDirectory("$Root\incoming") | Out-Null
    $file = [IO.File]::Open("$Root\incoming\$Name", 'OpenOrCreate', 'ReadWrite', 'Read')
    try {
        if ($file.Length -ge $Offset -and $null -ne $Data) {
            [void]$file.Seek($Offset, 'Begin')
            $file.Write($Data, 0, $Data.Length)
            $file.Flush($true)
        }
        @{ length = $file.Length }
    }
    finally { $file.Dispose() }
}
