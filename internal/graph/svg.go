package graph

import (
	"fmt"
	"html"
	"io"
	"strconv"
	"strings"

	"github.com/tendhq/tend/internal/contract"
	"github.com/tendhq/tend/internal/program"
)

// unit is the size of a grid unit in the SVG's pixels.
const unit = 8

// SVG writes one self-contained picture: no script, no font, nothing to load. Its colours are CSS variables that a page
// around it may set, with a light and a dark set of its own. Every box carries its path as `data-path` and its status as
// `data-status`.
func SVG(w io.Writer, p *program.Program, s State) error {
	l := New(p, s)
	var b strings.Builder
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" class="tend-graph" role="img" viewBox="0 0 %d %d" width="%d" height="%d">`,
		l.W*unit, l.H*unit, l.W*unit, l.H*unit)
	fmt.Fprintf(&b, "<title>%s</title>", escape(l.Name))
	b.WriteString("<style>" + style + "</style>")
	b.WriteString(`<defs><marker id="tend-arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto-start-reverse">` +
		`<path class="tip" d="M0 0 8 4 0 8z"/></marker></defs>`)
	for _, x := range l.Boxes {
		if x.Block {
			svgBox(&b, x, s.at(x.Path))
		}
	}
	for _, e := range l.Edges {
		svgEdge(&b, e)
	}
	for _, x := range l.Boxes {
		if !x.Block {
			svgBox(&b, x, s.at(x.Path))
		}
	}
	b.WriteString("</svg>\n")
	_, err := io.WriteString(w, b.String())
	return err
}

const style = `
.tend-graph{--bg:#fff;--ink:#1b1f24;--soft:#57606a;--line:#8c959f;--card:#fff;--box:rgba(140,149,159,.08);--read:#0969da;--idempotent:#1a7f37;` +
	`--mutate:#bc4c00;--good:#1a7f37;--bad:#cf222e;--doubt:#9a6700;--off:#8c959f;--live:#0969da;font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}
@media(prefers-color-scheme:dark){.tend-graph{--bg:#0d1117;--ink:#e6edf3;--soft:#9da7b1;--line:#6e7681;--card:#161b22;--box:rgba(110,118,129,.12);` +
	`--read:#58a6ff;--idempotent:#3fb950;--mutate:#f0883e;--good:#3fb950;--bad:#f85149;--doubt:#d29922;--off:#6e7681;--live:#58a6ff}}
.tend-graph text{fill:var(--ink);font-size:12.5px;white-space:pre}.tend-graph .d{fill:var(--soft);font-size:11px}.tend-graph .r{fill:var(--soft);font-weight:400}
.tend-graph .t{font-weight:600}.tend-graph rect{fill:var(--card);stroke:var(--line)}.tend-graph .block>rect{fill:var(--box);stroke-dasharray:4 3}
.tend-graph polyline{fill:none;stroke:var(--line);stroke-width:1.3}.tend-graph .tip{fill:var(--line)}.tend-graph .catch,.tend-graph .finally{stroke-dasharray:6 4}` +
	`.tend-graph .attached{stroke-dasharray:2 3}
.tend-graph .bar{stroke:none}.tend-graph .bar.read{fill:var(--read)}.tend-graph .bar.idempotent{fill:var(--idempotent)}.tend-graph .bar.mutate{fill:var(--mutate)}
.tend-graph .good>rect:first-child{stroke:var(--good);stroke-width:2}.tend-graph .bad>rect:first-child{stroke:var(--bad);stroke-width:2}` +
	`.tend-graph .doubt>rect:first-child{stroke:var(--doubt);stroke-width:2}.tend-graph .live>rect:first-child{stroke:var(--live);stroke-width:2}.tend-graph .off{opacity:.55}
.tend-graph .s{font-size:11px}.tend-graph .good .s{fill:var(--good)}.tend-graph .bad .s{fill:var(--bad)}.tend-graph .doubt .s{fill:var(--doubt)}` +
	`.tend-graph .live .s{fill:var(--live)}
`

// escape makes text safe in XML, also the few characters that XML cannot hold at all.
func escape(s string) string {
	return html.EscapeString(strings.Map(func(r rune) rune {
		if r < 0x20 || r == 0xfffe || r == 0xffff {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\uFFFD")))
}

func svgBox(b *strings.Builder, x Box, m Mark) {
	class := "step"
	if x.Block {
		class = "block"
	}
	if t := m.tone(); t != "" {
		class += " " + t
	}
	fmt.Fprintf(b, `<g class="%s" data-path="%s" data-kind="%s"`, class, escape(x.Path), escape(string(x.Kind)))
	if m.Status != "" {
		fmt.Fprintf(b, ` data-status="%s"`, escape(m.Status))
	}
	b.WriteString(">")
	left, top, w, h := x.X*unit, x.Y*unit, x.W*unit, x.H*unit
	round := 6
	if x.Kind == Start || x.Kind == End || x.Kind == Wait {
		round = min(h/2, 2*unit) // more would run into the texts
	}
	fmt.Fprintf(b, `<rect x="%d" y="%d" width="%d" height="%d" rx="%d"/>`, left, top, w, h, round)
	if x.Effect != "" && x.Kind == Action {
		fmt.Fprintf(b, `<rect class="bar %s" x="%d" y="%d" width="4" height="%d" rx="2"/>`, effectClass(x.Effect), left+1, top+4, h-8)
	}
	anchor, tx := "start", left+12
	if x.Kind == Start || x.Kind == End {
		anchor, tx = "middle", left+w/2
	}
	y := top + lineH*unit + 4
	fmt.Fprintf(b, `<text class="t" x="%d" y="%d" text-anchor="%s">`, tx, y, anchor)
	if x.Role != "" {
		fmt.Fprintf(b, `<tspan class="r">%s </tspan>`, escape(string(x.Role)))
	}
	b.WriteString(escape(x.Title) + "</text>")
	for _, l := range x.Lines {
		y += lineH * unit
		fmt.Fprintf(b, `<text class="d" x="%d" y="%d">%s</text>`, tx, y, escape(l))
	}
	switch {
	case x.Status == "":
	case x.Block:
		fmt.Fprintf(b, `<text class="s" x="%d" y="%d" text-anchor="end">%s</text>`, left+w-12, top+lineH*unit+4, escape(x.Status))
	default:
		fmt.Fprintf(b, `<text class="s" x="%d" y="%d" text-anchor="%s">%s</text>`, tx, y+lineH*unit, anchor, escape(x.Status))
	}
	b.WriteString("</g>")
}

func effectClass(e contract.Effect) string {
	switch e {
	case contract.Read, contract.Idempotent:
		return string(e)
	default:
		return string(contract.Mutate)
	}
}

func svgEdge(b *strings.Builder, e Edge) {
	var points strings.Builder
	for i, p := range e.Points {
		if i > 0 {
			points.WriteByte(' ')
		}
		points.WriteString(strconv.Itoa(p.X*unit) + "," + strconv.Itoa(p.Y*unit))
	}
	tip := ` marker-end="url(#tend-arrow)"`
	if e.Kind == Join {
		tip = ""
	}
	fmt.Fprintf(b, `<polyline class="%s" points="%s"%s/>`, escape(string(e.Kind)), points.String(), tip)
}
