# fairlead:watch v1
# How one component is now: its service, and what it answers here. Changes nothing.
param([string]$Root, [string]$Target, [string]$Component, [int]$Port = 0, [string]$Path = '', [int]$Timeout = 1000)
# common

function Test-Http {
    $request = [Net.WebRequest]::Create("http://127.0.0.1:$Port$Path")
    $request.Timeout = $Timeout
    $request.ReadWriteTimeout = $Timeout
    $request.AllowAutoRedirect = $false
    $request.Proxy = $null
    $request.KeepAlive = $false
    $request.UserAgent = 'fairlead-probe'
    try {
        $response = $request.GetResponse()
        $status = [int]$response.StatusCode
        $response.Close()
        return @{ status = $status }
    }
    catch {
        $cause = $_.Exception
        while ($null -ne $cause.InnerException -and $cause -isnot [Net.WebException]) { $cause = $cause.InnerException }
        if ($cause -is [Net.WebException] -and $null -ne $cause.Response) { return @{ status = [int]$cause.Response.StatusCode } }
        return @{ failed = $cause.Message }
    }
}

function Test-Tcp {
    $client = New-Object Net.Sockets.TcpClient
    try {
        if ($client.ConnectAsync('127.0.0.1', $Port).Wait($Timeout)) { return @{ connected = $true } }
        return @{ failed = 'timed out' }
    }
    catch { return @{ failed = 'refused' } }
    finally { $client.Close() }
}

Answer {
    $slots = Get-Slots $false
    $answer = $null
    $served = $false
    if ($Port) {
        $answer = if ($Path) { Test-Http } else { Test-Tcp }
        $run = if ($slots.ContainsKey($Component)) { $slots[$Component].run } else { $null }
        if ($null -ne $run -and $run.pid) {
            # 4: the system listens for those who use its HTTP server
            $family = @(4) + @(Get-Family $run.pid)
            $served = @(Get-Listeners $Port | Where-Object { $family -contains $_ }).Count -gt 0
        }
    }
    @{ slots = $slots; answer = $answer; served = $served; claims = @(Get-Claims); now = Get-Now }
}
