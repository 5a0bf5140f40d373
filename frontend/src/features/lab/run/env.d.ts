declare module 'virtual:lab-worker/light' {
  const source: string;
  export default source;
}
declare module 'virtual:lab-worker/exact' {
  const source: string;
  export default source;
}
