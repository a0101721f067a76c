# fairlead:runner v1
# Runs one command, and writes down what it prints and how it ended. Begun by the script `hook`; whoever asked for that may be gone.
$ErrorActionPreference = 'Stop'
$at = $env:FAIRLEAD_HOOK
$end = 'ended, nobody saw how'
try {
    $spec = ConvertFrom-Json ([IO.File]::ReadAllText("$at\spec.json"))
    $asked = New-Object Diagnostics.ProcessStartInfo
    $asked.FileName = $spec.program
    $asked.Arguments = $spec.arguments
    $asked.WorkingDirectory = $spec.folder
    $asked.UseShellExecute = $false
    $asked.CreateNoWindow = $true
    $asked.RedirectStandardInput = $true
    $asked.RedirectStandardOutput = $true
    $asked.RedirectStandardError = $true
    $asked.EnvironmentVariables.Remove('FAIRLEAD_HOOK')
    # Each writes at the end of the one file, wherever that is by then.
    $append = [Security.AccessControl.FileSystemRights]::AppendData
    $printed = New-Object IO.FileStream "$at\log", 'Append', $append, 'ReadWrite', 1, 'None'
    $warned = New-Object IO.FileStream "$at\log", 'Append', $append, 'ReadWrite', 1, 'None'
    $process = [Diagnostics.Process]::Start($asked)
    $process.StandardInput.Close()
    $copies = [Threading.Tasks.Task[]]@(
        $process.StandardOutput.BaseStream.CopyToAsync($printed), $process.StandardError.BaseStream.CopyToAsync($warned)
    )
    $late = ''
    if (-not $process.WaitForExit([int]$spec.timeout)) {
        $late = $spec.late
        $null = & "$env:SystemRoot\System32\taskkill.exe" /PID $process.Id /T /F
        [void]$process.WaitForExit(15000)
    }
    # What it has left behind may hold these open for as long as it likes, and the disk may be full.
    try { [void][Threading.Tasks.Task]::WaitAll($copies, 5000) } catch { $null = $_ }
    foreach ($file in $printed, $warned) { try { $file.Dispose() } catch { $null = $_ } }
    $end = "${late}exit code $($process.ExitCode)"
}
catch { $end = "could not be run: $($_.Exception.Message)" }
[IO.File]::WriteAllText("$at\end.new", $end)
[IO.File]::Move("$at\end.new", "$at\end")
