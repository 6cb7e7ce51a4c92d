/** What the page says when it has no answer: what is wrong, and what to do. */

import { type ApiProblem, giveToken, token } from '../api/client.ts';
import { visible } from '../format/text.ts';
import { refresh } from '../state/view.ts';

/** One line within a part of the page. */
export function ProblemNote({ problem }: { problem: ApiProblem }) {
  return (
    <p class="problem-note" role="alert">
      {visible(problem.message)}
      {problem.hint && <span class="hint">{visible(problem.hint)}</span>}
    </p>
  );
}

/** In the place of the page: nothing can be shown at all. */
export function ProblemPage({ problem }: { problem: ApiProblem }) {
  if (problem.status === 401) return <TokenForm isWrong={token.value !== ''} />;
  return (
    <section class="problem-page" role="alert">
      <h2>{TITLES[problem.code] ?? 'No answer'}</h2>
      <p>{visible(problem.message)}</p>
      {problem.hint && <p class="hint">{visible(problem.hint)}</p>}
      <button type="button" onClick={refresh}>
        Try again
      </button>
    </section>
  );
}

/** By the code of the error, as on the command line. */
const TITLES: Record<string, string> = {
  NOT_FOUND: 'There is no store yet',
  NOT_PERMITTED: 'The store may not be read',
  STORE: 'The store could not be read',
  STORE_VERSION: 'The store is of another version',
  UNREACHABLE: 'losslog does not answer',
  USAGE: 'This cannot be asked',
};

function TokenForm({ isWrong }: { isWrong: boolean }) {
  const submit = (event: SubmitEvent): void => {
    event.preventDefault();
    const field = new FormData(event.target as HTMLFormElement).get('token');
    giveToken(String(field ?? ''));
    refresh();
  };
  return (
    <section class="problem-page">
      <h2>A token, please</h2>
      <p>
        This losslog can be reached from other hosts, so it asks for the token that was made at its first start. On the
        host it is in a file that
        <code>losslog serve</code> names when it starts.
      </p>
      {isWrong && (
        <p role="alert" class="alarm">
          That is not the token.
        </p>
      )}
      <form onSubmit={submit}>
        <label>
          Token <input name="token" type="password" autocomplete="off" required />
        </label>
        <button type="submit">Show</button>
      </form>
    </section>
  );
}
