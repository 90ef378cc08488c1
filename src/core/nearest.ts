/** The nearest of `names`, if it is near enough to be what was meant: a third of its letters may differ, in any case. */
export function nearest(name: string, names: Iterable<string>): string | undefined {
  const candidates = [...names];
  let best: string | undefined;
  let bestDistance = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const candidate of candidates) {
    const limit = bestDistance;
    const distance =
      candidate.toLowerCase() === name.toLowerCase()
        ? 0
        : editDistance(name.toLowerCase(), candidate.toLowerCase(), limit);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best ?? begunWith(name, candidates);
}

/** The only one of `names` that begins so, where enough of it is there to tell. */
function begunWith(name: string, names: readonly string[]): string | undefined {
  const [only, ...others] = names.filter((candidate) => candidate.toLowerCase().startsWith(name.toLowerCase()));
  return name.length >= 4 && others.length === 0 ? only : undefined;
}

/** `did you mean "x"?`, or undefined where none of `names` is near. */
export function didYouMean(name: string, names: Iterable<string>): string | undefined {
  const near = nearest(name, names);
  return near === undefined ? undefined : `did you mean ${JSON.stringify(near)}?`;
}

/** Optimal string alignment distance: a swap of neighbours counts one. Gives up at `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit || a.length > 100) return limit;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let value = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + cost);
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) value = Math.min(value, (beforeLast[j - 2] ?? 0) + 1);
      row.push(value);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? limit;
}
