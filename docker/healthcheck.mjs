// Exit 0 when the process in this container can do its work: servers and workers both answer /readyz.
try {
  const answer = await fetch(`http://127.0.0.1:${process.env.MINGXI_PORT || 8080}/readyz`, { signal: AbortSignal.timeout(4000) });
  if (!answer.ok) throw new Error(`/readyz answers ${answer.status}`);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
