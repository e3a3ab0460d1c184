package actiontest

import "strings"

// Payloads gives more than 2,000 texts that mean something to a shell, to PowerShell, a database, a directory, a header
// parser, a terminal, a template engine or a URL parser. Those that run commands would make the file side. The order is
// always the same.
func Payloads(side string) []string {
	seen := map[string]bool{}
	var out []string
	add := func(s string) {
		if s = strings.ReplaceAll(s, "SIDE", side); !seen[s] {
			seen[s] = true
			out = append(out, s)
		}
	}
	for _, class := range []struct{ shapes, commands []string }{
		{shellShapes, []string{"touch SIDE", "echo x>SIDE", ": >SIDE", "{touch,SIDE}", "touch${IFS}SIDE"}},
		{powerShapes, []string{"New-Item SIDE", "Set-Content SIDE x", "[IO.File]::WriteAllText('SIDE','x')", "cmd /c echo x>SIDE"}},
		{sqlShapes, []string{"DROP TABLE t", "COPY (SELECT 1) TO 'SIDE'", "COPY (SELECT 1) TO PROGRAM 'touch SIDE'", "SELECT pg_sleep(9)"}},
		{[]string{"C"}, plainPayloads},
	} {
		for _, shape := range class.shapes {
			for _, command := range class.commands {
				s := strings.ReplaceAll(shape, "CMD", command)
				if shape == "C" {
					s = command
				}
				for _, context := range contexts {
					add(strings.ReplaceAll(context, "P", s))
				}
			}
		}
	}
	return out
}

//nolint:gochecknoglobals // tables; never written
var (
	// contexts are what an alert has around it.
	contexts = []string{"P", "disk P", "P is full", "web-1'P", "web-1\"P", "/var/log/P", "PP"}

	shellShapes = []string{
		";CMD", ";CMD;", "&CMD", "&&CMD", "|CMD", "||CMD", "`CMD`", "$(CMD)", "\nCMD\n", "';CMD;'", "\";CMD;\"", "';CMD #", "\";CMD #",
		"$((a[$(CMD)]))", "${x:-$(CMD)}", "<(CMD)", "() { :;}; CMD", "a[$(CMD)]", "\\`CMD\\`", "%0aCMD", "$'\\x3bCMD'", "\\;CMD", "-x;CMD",
		"$(CMD", "`CMD", "'$(CMD)'", "\"$(CMD)\"", "\x00;CMD",
	}
	powerShapes = []string{";CMD", "$(CMD)", "|CMD", "`nCMD", "&{CMD}", "'+(CMD)+'", "\"$(CMD)\"", "|iex \"CMD\"", "^&CMD", "%COMSPEC% /c CMD"}
	sqlShapes   = []string{
		"' OR 1=1--", "'; CMD; --", "\"; CMD; --", "1; CMD", "'); CMD; --", "$$; CMD; $$", "\\'; CMD; --", "ʼ; CMD; --", "' UNION SELECT 1; CMD/*", "0x27;CMD",
	}

	plainPayloads = []string{
		// Redirections, globs, options, assignments.
		">SIDE", ">>SIDE", "<SIDE", "2>SIDE", "*", "?", "[a-z]*", "~", "~root", "!!", "!$", "$IFS", "$PATH", "${PATH}", "$0", "$*", "$@", "$#",
		"-n", "-e", "-rf", "--", "--help", "-oProxyCommand=touch SIDE", "--upload-pack=touch SIDE", "-c touch SIDE", "LD_PRELOAD=SIDE", "BASH_ENV=SIDE",
		"IFS=;", "#", "\\", "\\\\", "'", "\"", "''", "\"\"", "'\"'\"'", "$", "`", "(", ")", "{", "}", "[", "]", "<", ">", "&", "|", ";",
		// LDAP.
		"*)(uid=*))(|(uid=*", "*)(&", "admin)(!(&(1=0", "\\2a", "\\00", "\\28\\29", "(|(cn=*))", "*()|%26'",
		// CRLF.
		"\r\nX-Injected: 1", "\nX-Injected: 1", "\rX-Injected: 1", "\r\n\r\n<html>", "\r\n\r\nGET /second HTTP/1.1\r\nHost: x\r\n\r\n", "%0d%0aX-Injected: 1",
		"\u2028X-Injected: 1", "\u0085X-Injected: 1", "嘊嘍X-Injected: 1", "\v", "\f", "\x1c", "\r", "\n", "\t", "\r\n ",
		"a\r\nContent-Length: 0", "a\r\nTransfer-Encoding: chunked",
		// ANSI and other terminals.
		"\x1b[2J", "\x1b[31mred", "\x1b]0;title\a", "\x1b]8;;http://x\a", "\x1bP+q\x1b\\", "\x9b2J", "\u009b2J", "\b\b\b", "\x7f", "\x1b[6n", "\x1bc", "\x1b]52;c;eA==\a",
		// Unicode.
		"\u202eexe.txt", "\u2066x\u2069", "\u200b", "\ufeff", "e" + strings.Repeat("\u0301", 50), "\xed\xa0\x80", "\xc0\xaf", "\xff\xfe", "\xf4\x90\x80\x80", "\u2400",
		"；ｔｏｕｃｈ SIDE", "＇ OR 1=1", "раураl", "ﬀ", "İ", "ß", "👩‍👩‍👧", "\U000e0041", "日本語", "٣",
		// Templates and interpolation.
		"{{ . }}", "{{ secret \"db\" }}", "{{ range 2000000000 }}x{{ end }}", "{{ $.params }}", "{{`{{ . }}`}}", "}}{{", "{{", "}}", "${7*7}", "#{7*7}", "<%= 7*7 %>",
		"{% for x in y %}", "${jndi:ldap://x/a}", "{{constructor.constructor('x')()}}", "%s%n%x", "%(x)s", "{0}", "$${x}", "@{x}", "{{7*7}}", "__import__('os')",
		"steps.x.value", "true || true", "size(x) > 0",
		// URLs and paths.
		"@evil.example", ":80@evil.example", ".evil.example", "//evil.example", "\\\\evil.example", "/../../etc/passwd", "..%2f..%2fetc", "%2e%2e/", "?admin=1", "&admin=1",
		"&admin=1#", "#x", ";admin=1", "=x", "q=1&q=2", "+", "%", "%zz", "%00", "%26admin%3D1", "http://169.254.169.254/", "file:///etc/passwd", "[::1]", "javascript:alert(1)",
		// Other parsers.
		"<script>alert(1)</script>", "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>&x;", "]]>", "\",\"admin\":true,\"x\":\"", "{\"$ne\":1}", "!!python/object", "*a", "&a", "- a",
		"=cmd|'/c calc'!A0", "@SUM(1)", "null", "NaN", "true", "1e999", "-1", "0x7f", " ", "  ", "",
		strings.Repeat("A", 4096), strings.Repeat("%s", 200), strings.Repeat("(", 300),
	}
)
