// Preloaded into an agent (NODE_OPTIONS), so that a test can have one of its processes burn a CPU:
// SIGWINCH, which the agent does not use, makes that process spin for ever.
process.on("SIGWINCH", () => {
  for (;;);
});
