/// The front page: what there is to see.
pub(super) fn front(app: &str, phase: &str) -> String {
    let app = escape(app);
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>{app}</title></head>\n<body>\n\
         <h1>{app}</h1>\n<p>{phase}</p>\n<ul>\n\
         <li><a href=\"/healthz\">/healthz</a>: the workers are alive</li>\n\
         <li><a href=\"/readyz\">/readyz</a>: all tasks are processing</li>\n\
         <li><a href=\"/metrics\">/metrics</a>: for Prometheus</li>\n\
         <li><a href=\"/topology\">/topology</a>: as text; also as <a href=\"/topology?format=mermaid\">Mermaid</a> and \
         <a href=\"/topology?format=json\">JSON</a></li>\n\
         <li><a href=\"/state\">/state</a>: the stores; <code>/state/STORE</code> and <code>/state/STORE/KEY</code> show entries</li>\n</ul>\n</body></html>\n"
    )
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}
