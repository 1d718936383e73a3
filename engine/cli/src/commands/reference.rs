//! `envoi config`, `envoi functions`, `envoi completions`: what there is.

use envoi::Config;

use super::{Failure, columns, print};

pub(crate) fn config(config: &Config) -> Result<u8, Failure> {
    let rows = config.entries().map(|(setting, value, origin)| {
        let value = if value.is_empty() { "-" } else { value };
        vec![setting.key.to_owned(), value.to_owned(), origin.to_string(), setting.description.to_owned()]
    });
    print(&columns(&["key", "value", "origin", "meaning"], &rows.collect::<Vec<_>>()))?;
    Ok(0)
}

pub(crate) async fn functions(config: &Config, pattern: Option<&str>) -> Result<u8, Failure> {
    let names = envoi::open(config).await?.owner().await?.names().await?;
    let wanted = pattern.unwrap_or_default().to_lowercase();
    let found: Vec<_> = names.functions.iter().filter(|f| f.name.contains(&wanted)).collect();
    if found.is_empty() {
        return Err(Failure::failed(format!(
            "no function has `{wanted}` in its name; `envoi functions` lists them all"
        )));
    }
    let text = match found.as_slice() {
        [one] => format!("{} ({})\n\n{}\n\n{}\n", one.signature, one.kind, one.description, one.details),
        many => {
            let first_sentence = |text: &str| text.split(". ").next().unwrap_or_default().replace('\n', " ");
            let rows = many
                .iter()
                .map(|f| vec![f.name.clone(), f.kind.to_owned(), f.signature.clone(), first_sentence(&f.description)]);
            columns(&["function", "kind", "call", "what it does"], &rows.collect::<Vec<_>>())
        }
    };
    print(&text)?;
    Ok(0)
}

pub(crate) fn completions(shell: clap_complete::Shell, command: &mut clap::Command) -> Result<u8, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(shell, command, "envoi", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(0)
}
