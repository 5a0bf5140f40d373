// What this browser is to the server when one learner uses it: a device with an id of its own, which numbers what the learner does.
// Two learners on one phone have two. The record is changed within a transaction only, for two tabs hand out numbers from it.
import { disk, result, transact } from './db';
import { uuidv7 } from './uuidv7';

export interface Device {
  user: string;
  /** UUIDv7, made here. */
  device: string;
  /** Counts how often the server found the device restored or cloned, from 1. */
  epoch: number;
  /** The last number given out in this epoch. */
  sequence: number;
  /** Up to which number of this epoch everything has been acknowledged. */
  acknowledged: number;
  /** Acknowledged numbers after the first that is not. */
  beyond?: number[];
}

export interface Stamp {
  epoch: number;
  sequence: number;
}

/** The device of somebody who is new here. */
export function newDevice(user: string): Device {
  return { user, device: uuidv7(), epoch: 1, sequence: 0, acknowledged: 0 };
}

/** The record within a transaction; a new one where there is none, which is not kept yet. */
export async function within(devices: IDBObjectStore, user: string): Promise<Device> {
  return (await result(devices.get(user) as IDBRequest<Device | undefined>)) ?? newDevice(user);
}

/** The next number, given out within a transaction that also keeps what gets it. */
export async function stamp(devices: IDBObjectStore, user: string): Promise<Stamp> {
  const device = await within(devices, user);
  device.sequence++;
  devices.put(device);
  return { epoch: device.epoch, sequence: device.sequence };
}

/** Changes the record, or makes it, in a transaction of its own, and gives what it is then. */
export function change<T extends Device = Device>(user: string, how: (device: T) => void): Promise<T> {
  return transact(['devices'], 'readwrite', async (store) => {
    const device = (await within(store('devices'), user)) as T;
    how(device);
    store('devices').put(device);
    return device;
  });
}

export function findDevice<T extends Device = Device>(user: string): Promise<T | undefined> {
  return disk.find<T>('devices', user);
}
