import { sql } from 'kysely';
import { reasonOf } from './postgres/failure.ts';
import type { Db } from './tables.ts';

/** A database that needs longer than this for nothing at all cannot carry a service, ms. */
const LIMIT = 2_000;

/** `ok`, or in a few words why the database cannot be used now; never names a machine. Answers within two seconds. */
export async function databaseAnswers(db: Db): Promise<string> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<string>((resolve) => {
    timer = setTimeout(() => resolve(`does not answer within ${LIMIT / 1000} s`), LIMIT);
  });
  const asked = sql`select 1`.execute(db).then(
    () => 'ok',
    (error: unknown) => {
      const reason = reasonOf(error);
      return reason === 'unknown' ? 'does not answer' : `does not answer (${reason})`;
    },
  );
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
  }
}
