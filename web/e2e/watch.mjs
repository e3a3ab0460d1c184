// What a page does while it is looked at: long tasks of its main thread, and what moves.
import assert from 'node:assert/strict';

/**
 * Watches the main thread of a page. The function that it gives stops, and lists the tasks of more than 50 ms by the time of
 * the processor that they took: other work on the machine makes a task no longer.
 */
export async function watch(page) {
  const c = await page.context().newCDPSession(page);
  const events = [];
  c.on('Tracing.dataCollected', ({ value }) => events.push(...value));
  await c.send('Tracing.start', { transferMode: 'ReportEvents', traceConfig: { includedCategories: ['toplevel', 'devtools.timeline', '__metadata'], excludedCategories: ['*'] } });
  return async () => {
    const done = new Promise((ok) => c.once('Tracing.tracingComplete', ok));
    await c.send('Tracing.end');
    await done;
    const main = new Set(events.filter((e) => e.name === 'thread_name' && e.args?.name === 'CrRendererMain').map((e) => `${e.pid}/${e.tid}`));
    const tasks = events.filter((e) => /RunTask$/.test(e.name) && main.has(`${e.pid}/${e.tid}`) && e.tdur);
    assert.ok(tasks.length > 10, 'tasks were seen');
    return tasks.map((e) => Math.round(e.tdur / 1000)).filter((ms) => ms > 50);
  };
}

/** Watches what moves without anybody's doing. To be called before the page is opened. */
export async function still(page) {
  await page.addInitScript(() => {
    window.shifts = [];
    new PerformanceObserver((list) => {
      for (const e of list.getEntries()) {
        if (e.hadRecentInput) continue;
        const names = e.sources.map(({ node, previousRect: a, currentRect: b }) => {
          const el = node?.nodeType === 1 ? node : node?.parentElement;
          const what = el ? `<${el.tagName.toLowerCase()}${el.className ? ` class="${el.className}"` : ''}> ${JSON.stringify(el.textContent.slice(0, 40))}` : 'something that is gone';
          return `${what} from ${[a.x, a.y, a.width, a.height].map(Math.round)} to ${[b.x, b.y, b.width, b.height].map(Math.round)}`;
        });
        window.shifts.push({ value: e.value, names });
      }
    }).observe({ type: 'layout-shift', buffered: true });
  });
  /** What moved since the page was opened, as the sum of the scores, and what it was. */
  return async () => {
    const all = await page.evaluate(() => window.shifts);
    return { score: all.reduce((n, s) => n + s.value, 0), what: all.flatMap((s) => s.names.map((x) => `${s.value.toFixed(3)} ${x}`)) };
  };
}
