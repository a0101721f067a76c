// Stands in for what .NET has on Windows only. Each class is put in the place of the one whose name stands above it (serve.ps1).
using System;
using System.Collections;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace WindowsDouble
{
    // System.Security.Principal.SecurityIdentifier, NTAccount
    public class Who { public string Value; public Who(string value) { Value = value; } }

    // System.Security.Principal.WindowsIdentity, WindowsPrincipal, WindowsBuiltInRole
    public class Identity
    {
        public Who User = new Who("S-1-5-21-1-2-3-1001");
        public static Identity GetCurrent() { return new Identity(); }
    }
    public enum Role { Administrator = 544 }
    public class Principal { public Principal(Identity of) { } public bool IsInRole(Role role) { return true; } }

    // System.Security.AccessControl.FileSystemAccessRule, RegistryAccessRule
    public class Rule
    {
        public string Text;
        public Rule(Who who, string rights, string inherit, string propagate, string kind) { Text = $"{who.Value} {rights} {inherit} {propagate} {kind}"; }
    }

    // System.Security.AccessControl.DirectorySecurity, RegistrySecurity
    public class Rules
    {
        public string Owner = "S-1-5-32-544";
        public bool AreAccessRulesProtected;
        public bool KeepsInherited = true;
        public List<string> Entries = new List<string>();
        public void SetAccessRuleProtection(bool closed, bool keep) { AreAccessRulesProtected = closed; KeepsInherited = keep; }
        public void AddAccessRule(Rule rule) { Entries.Add(rule.Text); }
        public Who GetOwner(Type kind) { return new Who(Owner); }
    }

    // IO.Directory
    public static class Folders
    {
        public static Dictionary<string, Rules> Of = new Dictionary<string, Rules>();
        public static DirectoryInfo CreateDirectory(string path) { return Directory.CreateDirectory(path); }
        public static bool Exists(string path) { return Directory.Exists(path); }
        public static string[] GetFiles(string path) { return Directory.GetFiles(path); }
        public static string[] GetDirectories(string path) { return Directory.GetDirectories(path); }
        public static void Move(string from, string to) { Directory.Move(from, to); }
        public static Rules GetAccessControl(string path) { return Of.ContainsKey(path) ? Of[path] : new Rules(); }
        public static void SetAccessControl(string path, Rules rules) { Of[path] = rules; }
    }

    // Microsoft.Win32.Registry
    public class Key : IDisposable
    {
        public Rules Rules = new Rules();
        public Dictionary<string, string[]> Values = new Dictionary<string, string[]>();
        public bool ClosedFirst;
        public void SetAccessControl(Rules rules) { Rules = rules; }
        public void SetValue(string name, object value, string kind)
        {
            if (kind != "MultiString") throw new ArgumentException(kind);
            ClosedFirst = Rules.AreAccessRulesProtected;
            Values[name] = (string[])value;
        }
        public void Dispose() { }
    }
    public class Hive
    {
        public Dictionary<string, Key> Keys = new Dictionary<string, Key>();
        public Key OpenSubKey(string name, string check, string rights) { return Keys[name]; }
    }
    public static class Registry { public static Hive LocalMachine = new Hive(); }

    // IO.FileStream: .NET on other systems has no constructor that takes rights
    public class AppendStream : FileStream
    {
        [DllImport("libc", SetLastError = true)] static extern int open(string path, int flags, int mode);
        const int WriteOnly = 1, Create = 64, Append = 1024, CloseOnExec = 524288, AppendData = 4;
        public AppendStream(string path, FileMode mode, object rights, FileShare share, int buffer, FileOptions options)
            : base(Opened(path, mode, rights), FileAccess.Write, buffer) { }
        static SafeFileHandle Opened(string path, FileMode mode, object rights)
        {
            if (mode != FileMode.Append || Convert.ToInt32(rights) != AppendData) throw new ArgumentException("only to append");
            return new SafeFileHandle((IntPtr)open(path, WriteOnly | Create | Append | CloseOnExec, 420), true);
        }
    }

    public static class Disk { public static void Fill() { throw new IOException("There is not enough space on the disk.", unchecked((int)0x80070070)); } }

    // System.Management.ManagementClass: begins processes as WMI does, which give no environment but the one they are told
    public class Property { public object Value; }
    public class Management
    {
        const uint UnicodeEnvironment = 1024;
        public static string Program, Prelude;
        public static uint Answer;
        public static List<int> Begun = new List<int>();
        public Hashtable Properties = new Hashtable(StringComparer.OrdinalIgnoreCase);
        public Management(string name) : this(name.EndsWith("Startup") ? "CreateFlags EnvironmentVariables ShowWindow".Split(' ') : new string[0]) { }
        Management(string[] names) { foreach (var name in names) Properties[name] = new Property(); }
        public Management CreateInstance() { return this; }
        public Management GetMethodParameters(string method) { return new Management("CommandLine CurrentDirectory ProcessStartupInformation".Split(' ')); }
        object Told(string name) { return ((Property)Properties[name]).Value; }
        public Management InvokeMethod(string method, Management told, object options)
        {
            var made = new Management("ReturnValue ProcessId".Split(' '));
            ((Property)made.Properties["ReturnValue"]).Value = Answer;
            if (Answer != 0) return made;
            var line = (string)told.Told("CommandLine");
            var command = line.Substring(line.IndexOf("-Command ") + 9).Trim('"');
            var asked = new ProcessStartInfo("setpriv") { WorkingDirectory = (string)told.Told("CurrentDirectory"), UseShellExecute = false };
            foreach (var word in new[] { "--pdeathsig", "KILL", Program, "-NoProfile", "-NonInteractive", "-Command", Prelude + "; " + command }) asked.ArgumentList.Add(word);
            asked.Environment.Clear();
            var startup = (Management)told.Told("ProcessStartupInformation");
            var wide = ((uint)startup.Told("CreateFlags") & UnicodeEnvironment) != 0;
            foreach (var pair in (string[])startup.Told("EnvironmentVariables"))
                asked.Environment[pair.Split('=')[0]] = string.Concat(pair.Substring(pair.IndexOf('=') + 1).Select(c => wide || c < 128 ? c : '?'));
            asked.RedirectStandardOutput = asked.RedirectStandardError = asked.RedirectStandardInput = true;
            var begun = Process.Start(asked);
            Begun.Add(begun.Id);
            ((Property)made.Properties["ProcessId"]).Value = (uint)begun.Id;
            return made;
        }
    }
}
