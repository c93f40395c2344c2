/** Milliseconds since `begun` (performance.now), to a hundredth: policies show and compare them. */
export const since = (begun: number): number => Math.round((performance.now() - begun) * 100) / 100;
