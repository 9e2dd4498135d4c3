// SPDX-License-Identifier: Apache-2.0
// Starts the pages in the reader's language.
import { render } from 'preact';
import { App } from './app';
import './styles/tokens.css';
import './styles/base.css';
import './styles/frame.css';
import './styles/parts.css';
import './styles/pictures.css';
import './styles/battery.css';
import 'uplot/dist/uPlot.min.css';
import { chooseLanguage, chosenLanguage } from './text/say';

chooseLanguage(navigator.languages);
document.documentElement.lang = chosenLanguage();
render(<App />, document.getElementById('page')!);
