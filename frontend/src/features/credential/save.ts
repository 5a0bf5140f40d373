/** Gives a text to the browser to keep as a file. */
export function saveAs(name: string, text: string, type = 'application/vc'): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = Object.assign(document.createElement('a'), { href: address, download: name });
  link.click();
  // The browser takes the bytes in a moment of its own.
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
