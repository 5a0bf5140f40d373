// The reading side in a page of its own, for measurements and tests in a real browser.
import { close, disk, transact } from '../../db';
import { inspect } from '../carrier';
import { collect, usage } from '../collect';
import { install } from '../download';
import { frames } from '../frames';
import { http } from '../http';
import { importFile, installed, known, list, lost, trustPublishers } from '../shelf';
import { ed25519 } from '../verify';

Object.assign(globalThis, { bundles: { close, collect, disk, ed25519, frames, http, importFile, inspect, install, installed, known, list, lost, transact, trustPublishers, usage } });
