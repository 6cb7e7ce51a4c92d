import './style/base.css';
import './style/frame.css';
import './style/chart.css';
import './style/tables.css';
import './style/events.css';
import './style/pictures.css';
import { render } from 'preact';
import { App } from './frame/app.tsx';
import { listenToKeys } from './frame/keys.ts';

listenToKeys();
const holder = document.getElementById('app');
if (holder) render(<App />, holder);
