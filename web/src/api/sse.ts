// Server-sent events, read with fetch: unlike EventSource it tells what the server answered (401 is not a lost
// connection), and it can be ended for a while. Pure: bytes in, events out.

export interface Event { id: string; name: string; data: string }

/** Takes text as it comes, and gives the events that are complete. */
export class Parser {
  private rest = '';
  private id = '';
  private name = '';
  private data: string[] = [];

  push(text: string): Event[] {
    const out: Event[] = [];
    const lines = (this.rest + text).split('\n');
    this.rest = lines.pop() ?? '';
    for (let line of lines) {
      if (line.endsWith('\r')) line = line.slice(0, -1);
      if (line === '') {
        if (this.data.length > 0) out.push({ id: this.id, name: this.name || 'message', data: this.data.join('\n') });
        this.name = '';
        this.data = [];
        continue;
      }
      const at = line.indexOf(':');
      if (at === 0) continue; // a remark: somebody is there
      const field = at < 0 ? line : line.slice(0, at);
      const value = at < 0 ? '' : line.slice(at + 1).replace(/^ /, '');
      if (field === 'event') this.name = value;
      else if (field === 'data') this.data.push(value);
      else if (field === 'id') this.id = value;
    }
    return out;
  }
}
