// The simulator's controls, beside the Graph it plays: what it was asked, what it knows, and what is to go wrong.
import { setting } from './playwright.config.ts';

/** The people whom the consent page offers. */
export const people = {
  admin: 'Ana Moreira',
  accountManager: 'Tomás Lindqvist',
  support: 'Priya Raman',
  rival: 'Viktor Hale',
} as const;

export type Person = keyof typeof people;

export const northlane = '102000000000001';
export const harbourReach = '102000000000002';

export interface Business {
  id: string;
  name: string;
  wabas: { id: string; name: string; eligibility: string }[];
}

export interface Agreement {
  request_id: string;
  business_id: string;
  solution_id: string | null;
  asked: number;
}

export interface Call {
  operation: string;
  path: string;
  fbtrace_id: string;
  code: number | null;
  subcode: number | null;
}

async function look<T>(control: string, parameters: Record<string, string> = {}): Promise<T> {
  const answer = await fetch(`${setting('SIMULATOR_URL')}/simulator/${control}?${new URLSearchParams(parameters)}`);
  if (!answer.ok) throw new Error(`${control}: ${await answer.text()}`);
  return (await answer.json()) as T;
}

async function change(control: string, parameters: Record<string, string> = {}): Promise<void> {
  const answer = await fetch(`${setting('SIMULATOR_URL')}/simulator/${control}`, { method: 'POST', body: new URLSearchParams(parameters) });
  if (!answer.ok) throw new Error(`${control}: ${await answer.text()}`);
}

/** A business that stands so now, such as `onboardable` or `taken-by-another`; after it is onboarded the next call finds another. */
export async function businessWhere(situation: string, partner = northlane): Promise<Business> {
  const { business_id: id } = await look<{ business_id: string }>('example', { partner, situation });
  const business = (await look<Business[]>('businesses', { partner })).find((candidate) => candidate.id === id);
  if (!business) throw new Error(`the simulator does not list business ${id}`);
  return business;
}

/** The agreements that the simulator has made for a business. */
export async function agreementsOf(business: Business): Promise<Agreement[]> {
  return (await look<Agreement[]>('ledger')).filter((agreement) => agreement.business_id === business.id);
}

/** The latest onboarding call for a business. */
export async function lastOnboardingCall(business: Business): Promise<Call> {
  const calls = await look<Call[]>('calls', { last: '1000' });
  const call = calls.findLast(({ operation, path }) => operation === 'onboard' && path.includes(business.id));
  if (!call) throw new Error(`no onboarding call for ${business.id}`);
  return call;
}

/** A token of Northlane's system user, as an admin would copy it from the business settings at Meta. */
export async function systemToken(): Promise<string> {
  return (await look<{ access_token: string }>('system-token', { partner: northlane })).access_token;
}

/** A token of a person, which is not fit for the settings. */
export async function personToken(person: string): Promise<string> {
  return (await look<{ access_token: string }>('token', { person })).access_token;
}

/** An admin of the business accepts the terms. */
export async function accept(business: Business): Promise<void> {
  await change('accept', { business: business.id });
}

/** Lets the next calls of an operation fail in a way that the simulator names, such as `permission-denied`. */
export async function planFault(operation: string, fault: string, times = 1): Promise<void> {
  await change('fault', { operation, fault, times: String(times) });
}

export async function clearFaults(): Promise<void> {
  await change('faults/clear');
}
