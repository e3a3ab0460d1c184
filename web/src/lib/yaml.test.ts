import { expect, it } from 'vitest';

import { tokens } from './yaml';

it('loses nothing of a line', () => {
  for (const l of ['', '  - {uses: log, with: {message: "a # b", n: 10s}} # why', 'key: value', '---', '# all', "x: 'it''s {{ $.a }}'", '    script: |', 'weird: : : {', '\t\u202e<script>']) {
    expect(tokens(l).map((t) => t.text).join('')).toBe(l);
  }
});

it('knows keys, templates and comments', () => {
  expect(tokens('  url: {{ $.params.url }} # here').map((t) => t.kind)).toEqual(['mark', 'key', 'mark', 'plain', 'template', 'plain', 'comment']);
});
