package quiz

// ParseNumber is parseNumber, which page and server must agree on.
var ParseNumber = parseNumber
