// Package web is the page that a server serves: the built assets of web/, embedded, so that the binary needs nothing else.
//
// It answers GET and HEAD. What the build named by its content (assets/) may be kept for ever; everything else is asked for
// again, by its ETag. Every address that is no file is the page itself, which knows what to show there: each object has its
// address. The content security policy lets the page load what is here and ask this server, and nothing else: no script
// that stands in a document, no style, no frame, no other host.
//
// It knows nobody and holds no data: everything that the page shows it asks for by the public interface, as whoever signed
// on.
package web

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/tendhq/tend/internal/fault"
	"github.com/tendhq/tend/internal/wire"
)

//go:generate make -C ../.. web

//go:embed all:dist
var built embed.FS

// Policy is the content security policy of the page.
const Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"

// page is the file that every address leads to.
const page = "index.html"

// file is an asset as it is sent.
type file struct {
	media, tag string
	plain      []byte
	once       sync.Once
	packed     []byte // nil: packing makes it no smaller
}

// Handler serves the page. Addresses below reserved, as "/v1/", are not the page's: there is nothing at them.
func Handler(reserved ...string) http.Handler {
	files := map[string]*file{}
	_ = fs.WalkDir(built, "dist", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := built.ReadFile(name)
		if err != nil {
			return err
		}
		sum := sha256.Sum256(b)
		media := mime.TypeByExtension(path.Ext(name))
		switch path.Ext(name) { // what systems disagree about
		case ".js":
			media = "text/javascript; charset=utf-8"
		case ".svg":
			media = "image/svg+xml"
		case ".woff2":
			media = "font/woff2"
		case ".txt":
			media = "text/plain; charset=utf-8"
		}
		files[strings.TrimPrefix(name, "dist/")] = &file{media: media, tag: `"` + hex.EncodeToString(sum[:12]) + `"`, plain: b}
		return nil
	})
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name := strings.TrimPrefix(path.Clean(r.URL.Path), "/")
		f := files[name]
		h := w.Header()
		switch {
		case f != nil && strings.HasPrefix(name, "assets/"):
			h.Set("Cache-Control", "public, max-age=31536000, immutable")
		case f != nil:
			h.Set("Cache-Control", "no-cache")
		case foreign(r.URL.Path, reserved):
			missing(w, r)
			return
		default:
			f = files[page]
			h.Set("Cache-Control", "no-cache")
		}
		h.Set("Content-Security-Policy", Policy)
		h.Set("Cross-Origin-Opener-Policy", "same-origin-allow-popups")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=()")
		f.send(w, r)
	})
}

// foreign tells of addresses at which nothing of the page can be: those of the interface, and assets of another version.
func foreign(p string, reserved []string) bool {
	if strings.HasPrefix(p, "/assets/") {
		return true
	}
	for _, r := range reserved {
		if strings.HasPrefix(p, r) || p == strings.TrimSuffix(r, "/") {
			return true
		}
	}
	return false
}

func missing(w http.ResponseWriter, r *http.Request) {
	p := wire.NewProblem(fault.New(fault.NotFound, "there is no %s %s", r.Method, r.URL.Path))
	w.Header().Set("Content-Type", wire.ProblemType)
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p)
}

func (f *file) send(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("ETag", f.tag)
	h.Set("Vary", "Accept-Encoding")
	if match := r.Header.Get("If-None-Match"); match != "" && strings.Contains(match, f.tag) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", f.media)
	body := f.plain
	if strings.Contains(r.Header.Get("Accept-Encoding"), "gzip") {
		if p := f.pack(); p != nil {
			h.Set("Content-Encoding", "gzip")
			body = p
		}
	}
	if r.Method == http.MethodHead {
		return
	}
	_, _ = w.Write(body) // the reader is gone: there is nobody to tell
}

// pack compresses a file the first time that somebody asks for it.
func (f *file) pack() []byte {
	f.once.Do(func() {
		var b bytes.Buffer
		z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
		if err != nil {
			return
		}
		if _, err := z.Write(f.plain); err != nil || z.Close() != nil {
			return
		}
		if b.Len() < len(f.plain)*9/10 {
			f.packed = b.Bytes()
		}
	})
	return f.packed
}
