/// <reference types="vite/client" />
declare module 'virtual:words' {
  type Load = () => Promise<{ default: Record<string, string | Record<string, string>> }>;
  export const page: Record<string, Load>;
  export const lab: Record<string, Load>;
  export const app: Record<string, Load>;
}
declare module 'virtual:late-words' {
  type Load = () => Promise<{ default: Record<string, string | Record<string, string>> }>;
  export const sync: Record<string, Load>;
  export const offline: Record<string, Load>;
}
