/// <reference types="vite/client" />
declare module 'virtual:words/*' {
  const loaders: Record<string, () => Promise<{ default: Record<string, string | Record<string, string>> }>>;
  export default loaders;
}
