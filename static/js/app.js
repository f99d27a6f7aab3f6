// The console's own JavaScript. Each module listens on the document, so that what htmx brings in
// later works without being prepared; without any of it the pages work too.
import "./confirm.js";
import "./copy.js";
import "./dialog.js";
import "./menu.js";
import "./secret-field.js";
import "./step.js";
import "./time.js";
import "./toasts.js";
