// Exit 0 when the server in this container can take work. A process of role `worker` listens to
// nobody: that it runs is all that can be asked.
if (process.env.MINGXI_ROLE === 'worker') process.exit(0);
try {
  const answer = await fetch(`http://127.0.0.1:${process.env.MINGXI_PORT || 8080}/readyz`, { signal: AbortSignal.timeout(4000) });
  if (!answer.ok) throw new Error(`/readyz answers ${answer.status}`);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
