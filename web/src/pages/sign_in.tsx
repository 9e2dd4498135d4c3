// SPDX-License-Identifier: Apache-2.0
// Sign in: one field. What is wrong stands beside it; nothing typed is lost.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, Refused } from '../api/ask';
import { Logo } from '../parts/icon';
import { say } from '../text/say';

export const SignIn = ({ done }: { done: () => void }) => {
  const field = useRef<HTMLInputElement>(null);
  const [password, setPassword] = useState('');
  const [busy, setBusy] = useState(false);
  const [wrong, setWrong] = useState('');
  useEffect(() => field.current?.focus(), []);

  const refuse = (text: string): void => {
    setWrong(text);
    setBusy(false);
    field.current?.focus();
  };
  const submit = async (event: Event): Promise<void> => {
    event.preventDefault();
    if (busy) {
      return;
    }
    if (password === '') {
      refuse(say('signin_empty'));
      return;
    }
    setBusy(true);
    try {
      await ask('session', { body: { password } });
      done();
    } catch (error) {
      if (!(error instanceof Refused)) {
        refuse(say('signin_lost'));
      } else if (error.status === 401 || error.status === 403) {
        refuse(say('signin_wrong'));
      } else if (error.status === 429) {
        refuse(say('signin_often'));
      } else {
        refuse(error.message || say('http_status', { status: error.status }));
      }
    }
  };
  return (
    <main id="main" class="narrow">
      <p class="brand big">
        <Logo />
        Jouleway
      </p>
      <section class="status">
        <h1>{say('signin_title')}</h1>
      </section>
      <form class="sheet form" onSubmit={submit} noValidate>
        <div class="field">
          <label for="password">{say('signin_field')}</label>
          <span class="hint" id="password-hint">
            {say('signin_hint')}
          </span>
          <input
            id="password"
            name="password"
            ref={field}
            type="password"
            autocomplete="current-password"
            value={password}
            aria-invalid={wrong !== ''}
            aria-describedby="password-hint password-wrong"
            onInput={(event) => setPassword((event.target as HTMLInputElement).value)}
          />
          <span class="wrong" id="password-wrong" role="alert">
            {wrong}
          </span>
        </div>
        <button class="btn main big" aria-disabled={busy}>
          {say(busy ? 'signin_busy' : 'signin_button')}
        </button>
      </form>
    </main>
  );
};
