// The text, to be written in: colours, numbers of lines, what is wrong beside its line, completion, find. CodeMirror, in the
// editor's own chunk. The way back is the desk's: it is one for the text and the graph.
import { autocompletion, closeBrackets, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, indentWithTab } from '@codemirror/commands';
import { yaml } from '@codemirror/lang-yaml';
import { bracketMatching, foldGutter, indentOnInput, indentUnit, syntaxHighlighting } from '@codemirror/language';
import { highlightSelectionMatches, search, searchKeymap } from '@codemirror/search';
import { Annotation, EditorState, Prec, type RangeSet, RangeSetBuilder, StateEffect, StateField } from '@codemirror/state';
import { Decoration, drawSelection, EditorView, gutterLineClass, GutterMarker, highlightActiveLine, highlightActiveLineGutter, highlightSpecialChars, hoverTooltip, keymap, lineNumbers, MatchDecorator, ViewPlugin, type DecorationSet, type ViewUpdate } from '@codemirror/view';
import { tagHighlighter, tags } from '@lezer/highlight';
import { useEffect, useImperativeHandle, useRef, type Ref as Handle } from 'react';

import type { Finding, LookedPart } from '../../api/schema';
import { label } from '../../lib/text';
import { offers, type Words } from './complete';
import look from './writing.css?inline';

/** A change that does not come from the keyboard. */
const given = Annotation.define<boolean>();

const colours = tagHighlighter([
  { tag: [tags.definition(tags.propertyName), tags.propertyName], class: 'y-key' },
  { tag: [tags.string, tags.special(tags.string)], class: 'y-text' },
  { tag: [tags.comment, tags.lineComment], class: 'y-comment' },
  { tag: [tags.number, tags.bool, tags.null, tags.atom], class: 'y-number' },
  { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace, tags.labelName, tags.typeName, tags.meta], class: 'y-mark' },
]);

const matcher = new MatchDecorator({ regexp: /\{\{[^\n]*?\}\}/g, decoration: Decoration.mark({ class: 'y-template' }) });
const templates = ViewPlugin.fromClass(class {
  marks: DecorationSet;
  constructor(view: EditorView) { this.marks = matcher.createDeco(view); }
  update(u: ViewUpdate) { this.marks = matcher.updateDeco(u, this.marks); }
}, { decorations: (v) => v.marks });

/** The lines of the chosen step, and those that changed just now. */
const setMarks = StateEffect.define<{ from: number; to: number; class: string }[]>();
const marked = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(was, tr) {
    let now = was.map(tr.changes);
    for (const e of tr.effects) {
      if (!e.is(setMarks)) continue;
      const b = new RangeSetBuilder<Decoration>();
      for (const m of e.value) for (let n = m.from; n <= Math.min(m.to, tr.state.doc.lines); n++) b.add(tr.state.doc.line(n).from, tr.state.doc.line(n).from, Decoration.line({ class: m.class }));
      now = b.finish();
    }
    return now;
  },
  provide: (f) => EditorView.decorations.from(f),
});

/** What is wrong, at its line: beside the number and below the words. CodeMirror's own has pictures that the policy refuses. */
interface Wrong { from: number; to: number; bad: boolean; says: string }
const setWrong = StateEffect.define<Wrong[]>();
class Beside extends GutterMarker { constructor(override readonly elementClass: string) { super(); } }
const besides = { bad: new Beside('cm-bad'), wait: new Beside('cm-wait') };
const wrong = StateField.define<{ list: Wrong[]; marks: DecorationSet; lines: RangeSet<GutterMarker> }>({
  create: () => ({ list: [], marks: Decoration.none, lines: new RangeSetBuilder<GutterMarker>().finish() }),
  update(was, tr) {
    for (const e of tr.effects) {
      if (!e.is(setWrong)) continue;
      const list = [...e.value].sort((a, b) => a.from - b.from || a.to - b.to);
      const marks = Decoration.set(list.filter((x) => x.to > x.from).map((x) => Decoration.mark({ class: x.bad ? 'cm-wrong-bad' : 'cm-wrong-wait' }).range(x.from, x.to)), true);
      const lines = new RangeSetBuilder<GutterMarker>();
      const starts = new Map<number, boolean>();
      for (const x of list) { const at = tr.state.doc.lineAt(x.from).from; starts.set(at, (starts.get(at) ?? false) || x.bad); }
      for (const [at, bad] of [...starts].sort((a, b) => a[0] - b[0])) lines.add(at, at, bad ? besides.bad : besides.wait);
      return { list, marks, lines: lines.finish() };
    }
    if (!tr.docChanged) return was;
    return { list: was.list.map((x) => ({ ...x, from: tr.changes.mapPos(x.from), to: tr.changes.mapPos(x.to) })), marks: was.marks.map(tr.changes), lines: was.lines.map(tr.changes) };
  },
  provide: (f) => [EditorView.decorations.from(f, (v) => v.marks), gutterLineClass.from(f, (v) => v.lines)],
});
const why = hoverTooltip((v, pos) => {
  const l = v.state.doc.lineAt(pos);
  const said = v.state.field(wrong).list.filter((x) => x.from <= l.to && x.to >= l.from && (x.from <= pos && pos <= x.to || x.from === x.to));
  if (!said.length) return null;
  return { pos: said[0]?.from ?? pos, above: true, create: () => {
    const dom = document.createElement('div');
    dom.className = 'cm-why';
    for (const x of said) { const p = document.createElement('p'); p.textContent = x.says; dom.append(p); }
    return { dom };
  } };
});

export interface Pen { show: (line: number, column?: number, focus?: boolean) => void; focus: () => void }

export function Writing({ text, write, findings, part, words, undo, redo, cursor, pen, readOnly }: {
  text: string; write: (t: string) => void; findings: Finding[]; part: Pick<LookedPart, 'line' | 'end'> | null; words: Words;
  undo: () => void; redo: () => void; cursor: (line: number) => void; pen: Handle<Pen>; readOnly?: boolean;
}) {
  const place = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const now = useRef({ write, words, undo, redo, cursor });
  useEffect(() => { now.current = { write, words, undo, redo, cursor }; });
  useEffect(() => {
    if (!place.current) return;
    const does = (f: 'undo' | 'redo') => () => { now.current[f](); return true; };
    // In a root of its own its styles are sheets, not elements: the policy of the page refuses those.
    const root = place.current.shadowRoot ?? place.current.attachShadow({ mode: 'open' });
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(look);
    root.adoptedStyleSheets = [sheet];
    const v = new EditorView({
      parent: root, root,
      state: EditorState.create({
        doc: text,
        extensions: [
          Prec.high(keymap.of([{ key: 'Mod-z', run: does('undo'), preventDefault: true }, { key: 'Mod-y', run: does('redo'), preventDefault: true }, { key: 'Mod-Shift-z', run: does('redo'), preventDefault: true }])),
          lineNumbers(), foldGutter({ markerDOM: fold }), wrong, why, highlightSpecialChars(), drawSelection(), highlightActiveLine(), highlightActiveLineGutter(), indentUnit.of('  '), indentOnInput(), bracketMatching(), closeBrackets(),
          yaml(), syntaxHighlighting(colours), templates, marked, search({ top: true }), highlightSelectionMatches(),
          autocompletion({ override: [(c) => {
            const found = offers(c.state.sliceDoc(Math.max(0, c.pos - 20_000), c.pos), now.current.words);
            if (!found || found.list.length === 0) return null;
            const from = found.from + Math.max(0, c.pos - 20_000);
            if (!c.explicit && from === c.pos && !/\$\.$|\{\{ ?$|uses: $/.test(c.state.sliceDoc(Math.max(0, c.pos - 8), c.pos))) return null;
            return { from, options: found.list.slice(0, 400).map((o) => ({ label: label(o.label, 120), apply: o.insert ?? o.label, detail: label(o.says, 70), type: o.type })), validFor: /^[\w$.'-]*$/ };
          }], icons: false }),
          keymap.of([...completionKeymap, ...searchKeymap, indentWithTab, ...defaultKeymap]),
          EditorState.tabSize.of(2), EditorState.readOnly.of(readOnly ?? false),
          EditorView.contentAttributes.of({ 'aria-label': 'The text of the playbook', spellcheck: 'false', dir: 'ltr', tabindex: '0' }),
          EditorView.updateListener.of((u) => {
            if (u.docChanged && !u.transactions.some((t) => t.annotation(given))) now.current.write(u.state.doc.toString());
            if (u.selectionSet || u.docChanged) now.current.cursor(u.state.doc.lineAt(u.state.selection.main.head).number);
          }),
        ],
      }),
    });
    view.current = v;
    return () => { v.destroy(); view.current = null; };
    // Its text is kept in step below: it is made once.
  }, []); // eslint-disable-line
  useEffect(() => {
    const v = view.current;
    if (!v) return;
    const was = v.state.doc.toString();
    if (was === text) return;
    let [a, z] = [0, 0];
    const most = Math.min(was.length, text.length);
    while (a < most && was[a] === text[a]) a++;
    while (z < most - a && was[was.length - 1 - z] === text[text.length - 1 - z]) z++;
    v.dispatch({ changes: { from: a, to: was.length - z, insert: text.slice(a, text.length - z) }, annotations: given.of(true) });
    // What changed comes into view.
    v.dispatch({ effects: EditorView.scrollIntoView(Math.min(a, v.state.doc.length), { y: 'center' }) });
  }, [text]);
  useEffect(() => {
    const v = view.current;
    if (!v || v.state.doc.toString() !== text) return;
    v.dispatch({ effects: setWrong.of(findings.flatMap((f) => {
      if (!f.line || f.line > v.state.doc.lines) return [];
      const l = v.state.doc.line(f.line);
      const from = Math.min(l.to, l.from + Math.max(0, (f.column ?? 1) - 1));
      return [{ from, to: l.to, bad: f.severity === 'error', says: label(`${f.message}${f.remedy ? `. ${f.remedy}` : ''}`, 600) }];
    })) });
  }, [findings, text]);
  useEffect(() => {
    view.current?.dispatch({ effects: setMarks.of(part ? [{ from: part.line, to: part.end, class: 'cm-chosen' }] : []) });
  }, [part?.line, part?.end, text]); // eslint-disable-line
  useImperativeHandle(pen, () => ({
    show: (line, column = 1, focus = false) => {
      const v = view.current;
      if (!v) return;
      const l = v.state.doc.line(Math.max(1, Math.min(line, v.state.doc.lines)));
      const at = Math.min(l.to, l.from + column - 1);
      v.dispatch({ selection: { anchor: at }, effects: EditorView.scrollIntoView(at, { y: 'center' }) });
      if (focus) v.focus();
    },
    focus: () => view.current?.focus(),
  }), []);
  return <div ref={place} className="writing" />;
}

function fold(open: boolean) {
  const s = document.createElement('span');
  s.textContent = open ? '▾' : '▸';
  s.title = open ? 'Fold' : 'Unfold';
  return s;
}
