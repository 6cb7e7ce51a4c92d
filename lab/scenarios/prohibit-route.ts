import { routed } from '../scenario/route.ts';

export default routed('prohibit');
