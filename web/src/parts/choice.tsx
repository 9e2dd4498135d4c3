// SPDX-License-Identifier: Apache-2.0
// Two to four views of the same thing, one of them chosen.

interface Props<T extends string> {
  label: string;
  choices: readonly { value: T; text: string }[];
  chosen: T;
  choose: (value: T) => void;
}

export const Choice = <T extends string>({ label, choices, chosen, choose }: Props<T>) => (
  <div class="seg" role="group" aria-label={label}>
    {choices.map(({ value, text }) => (
      <button key={value} aria-pressed={value === chosen} onClick={() => choose(value)}>
        {text}
      </button>
    ))}
  </div>
);
