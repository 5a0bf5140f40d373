declare module 'virtual:lab-worker/light' {
  const source: string;
  export default source;
}
declare module 'virtual:lab-worker/exact' {
  const source: string;
  export default source;
}

declare module '*.py?translated' {
  const translated: { digest: string; script: string };
  export default translated;
}
