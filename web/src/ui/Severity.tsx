export const severities = ['critical', 'major', 'minor', 'info'] as const;

const bars: Record<string, number> = { critical: 4, major: 3, minor: 2, info: 1 };

/** How bad: by bars and by its name, and by colour only besides. */
export function Severity({ of }: { of: string | undefined }) {
  if (!of) return null;
  const n = bars[of] ?? 0;
  return (
    <span className={`severity ${n >= 4 ? 'tone-bad' : n === 3 ? 'tone-wait' : 'tone-off'}`}>
      <svg width="14" height="12" viewBox="0 0 14 12" aria-hidden>{[0, 1, 2, 3].map((i) => <rect key={i} x={i * 3.6} y={9 - i * 3} width="2.4" height={3 + i * 3} rx="0.5" fill="currentColor" opacity={i < n ? 1 : 0.22} />)}</svg>
      {of}
    </span>
  );
}
