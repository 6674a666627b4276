//! What did the user of `shader!` write? The macro's input, taken apart.

use std::collections::BTreeMap;

use proc_macro::{Delimiter, Group, Ident, Literal, Punct, Spacing, Span, TokenStream, TokenTree};

/// How the macro is used, shown when it is used otherwise.
const USAGE: &str = "expected `mod name = \"path.wgsl\"` or `mod name, wgsl = \"…\"`, then options `, strict` and `, overrides { NAME = 1.0 }`";

/// A use of `shader!`.
pub(crate) struct Input {
    /// Attributes, visibility, `mod` and the name.
    pub(crate) head: TokenStream,
    /// The module's name.
    pub(crate) name: String,
    /// Where the WGSL is.
    pub(crate) wgsl: Wgsl,
    /// Place for messages about the WGSL.
    pub(crate) source_span: Span,
    /// No contraction.
    pub(crate) strict: bool,
    /// Values of overrides.
    pub(crate) overrides: BTreeMap<String, f64>,
}

/// Where the WGSL is.
pub(crate) enum Wgsl {
    /// In a file, relative to the crate.
    File { path: String },
    /// In the macro's input.
    Inline { text: String },
}

/// Something that cannot be compiled: a message and its place.
pub(crate) struct Mistake {
    message: String,
    span: Span,
}

impl Mistake {
    pub(crate) fn new(message: impl Into<String>, span: Span) -> Self {
        Self {
            message: message.into(),
            span,
        }
    }

    /// `compile_error!` at the place, and the module `head` without content.
    pub(crate) fn into_compile_error(self, head: &TokenStream) -> TokenStream {
        let at = |mut token: TokenTree| {
            token.set_span(self.span);
            token
        };
        let text = TokenStream::from(at(Literal::string(&self.message).into()));
        let mut tokens: TokenStream = [
            at(Punct::new(':', Spacing::Joint).into()),
            at(Punct::new(':', Spacing::Alone).into()),
            at(Ident::new("core", self.span).into()),
            at(Punct::new(':', Spacing::Joint).into()),
            at(Punct::new(':', Spacing::Alone).into()),
            at(Ident::new("compile_error", self.span).into()),
            at(Punct::new('!', Spacing::Alone).into()),
            at(Group::new(Delimiter::Brace, text).into()),
        ]
        .into_iter()
        .collect();
        if !head.is_empty() {
            tokens.extend(head.clone());
            tokens.extend([TokenTree::from(Group::new(
                Delimiter::Brace,
                TokenStream::new(),
            ))]);
        }
        tokens
    }
}

/// Tokens still to be read.
struct Cursor {
    tokens: std::iter::Peekable<proc_macro::token_stream::IntoIter>,
    last: Span,
}

/// Takes the input apart; `head` gets what comes before the source as soon as it is known.
pub(crate) fn parse(tokens: TokenStream, head: &mut TokenStream) -> Result<Input, Mistake> {
    let mut cursor = Cursor {
        tokens: tokens.into_iter().peekable(),
        last: Span::call_site(),
    };
    let name = module_name(&mut cursor, head)?;
    let (wgsl, source_span) = source(&mut cursor)?;
    let mut input = Input {
        head: head.clone(),
        name,
        wgsl,
        source_span,
        strict: false,
        overrides: BTreeMap::new(),
    };
    while cursor.take_punct(',') {
        if cursor.tokens.peek().is_some() {
            option(&mut cursor, &mut input)?;
        }
    }
    cursor.take_punct(';');
    match cursor.next() {
        None => Ok(input),
        Some(token) => Err(Mistake::new(
            format!("unexpected `{token}`: {USAGE}"),
            token.span(),
        )),
    }
}

fn module_name(cursor: &mut Cursor, head: &mut TokenStream) -> Result<String, Mistake> {
    let mut before = TokenStream::new();
    loop {
        let Some(token) = cursor.next() else {
            return Err(cursor.mistake(USAGE));
        };
        let is_mod = matches!(&token, TokenTree::Ident(word) if word.to_string() == "mod");
        let belongs =
            is_mod || matches!(&token, TokenTree::Ident(word) if word.to_string() == "pub");
        if !belongs && !matches!(&token, TokenTree::Group(_) | TokenTree::Punct(_)) {
            return Err(Mistake::new(
                format!("unexpected `{token}`: {USAGE}"),
                token.span(),
            ));
        }
        before.extend([token]);
        if is_mod {
            break;
        }
    }
    match cursor.next() {
        Some(TokenTree::Ident(name)) => {
            before.extend([TokenTree::from(name.clone())]);
            *head = before;
            Ok(name.to_string())
        }
        _ => Err(cursor.mistake("`mod` needs a name: `mod name = \"path.wgsl\"`")),
    }
}

fn source(cursor: &mut Cursor) -> Result<(Wgsl, Span), Mistake> {
    if cursor.take_punct('=') {
        let (path, span) = cursor.string("the path of a WGSL file, in quotes")?;
        return Ok((Wgsl::File { path }, span));
    }
    if cursor.take_punct(',') && cursor.take_word("wgsl") && cursor.take_punct('=') {
        let (text, span) = cursor.string("WGSL, in quotes")?;
        return Ok((Wgsl::Inline { text }, span));
    }
    Err(cursor.mistake(USAGE))
}

fn option(cursor: &mut Cursor, input: &mut Input) -> Result<(), Mistake> {
    match cursor.next() {
        Some(TokenTree::Ident(word)) if word.to_string() == "strict" => input.strict = true,
        Some(TokenTree::Ident(word)) if word.to_string() == "overrides" => match cursor.next() {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::Brace => {
                overrides(group.stream(), input)?;
            }
            _ => return Err(cursor.mistake("`overrides` needs values: `overrides { NAME = 1.0 }`")),
        },
        Some(token) => {
            return Err(Mistake::new(
                format!(
                    "`{token}` is no option; there are `strict` and `overrides {{ NAME = 1.0 }}`"
                ),
                token.span(),
            ));
        }
        None => {}
    }
    Ok(())
}

fn overrides(tokens: TokenStream, input: &mut Input) -> Result<(), Mistake> {
    let mut cursor = Cursor {
        tokens: tokens.into_iter().peekable(),
        last: Span::call_site(),
    };
    while let Some(token) = cursor.next() {
        let TokenTree::Ident(name) = token else {
            return Err(cursor.mistake("expected the name of an override: `NAME = 1.0`"));
        };
        if !cursor.take_punct('=') {
            return Err(cursor.mistake("expected `=` and a number after the override's name"));
        }
        let value = cursor.number()?;
        if input.overrides.insert(name.to_string(), value).is_some() {
            return Err(Mistake::new(
                format!("`{name}` has two values"),
                name.span(),
            ));
        }
        if !cursor.take_punct(',') && cursor.tokens.peek().is_some() {
            return Err(cursor.mistake("expected `,` between overrides"));
        }
    }
    Ok(())
}

impl Cursor {
    fn next(&mut self) -> Option<TokenTree> {
        let token = self.tokens.next();
        if let Some(token) = &token {
            self.last = token.span();
        }
        token
    }

    /// A mistake at the last token read.
    fn mistake(&self, message: &str) -> Mistake {
        Mistake::new(message, self.last)
    }

    fn take_punct(&mut self, wanted: char) -> bool {
        let found = matches!(self.tokens.peek(), Some(TokenTree::Punct(punct)) if punct.as_char() == wanted);
        if found {
            self.next();
        }
        found
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        let found = matches!(self.tokens.peek(), Some(TokenTree::Ident(word)) if word.to_string() == wanted);
        if found {
            self.next();
        }
        found
    }

    /// A string literal, also from inside the invisible group that a macro variable leaves around it.
    fn string(&mut self, what: &str) -> Result<(String, Span), Mistake> {
        let token = match self.next() {
            Some(TokenTree::Group(group)) if group.delimiter() == Delimiter::None => {
                group.stream().into_iter().next()
            }
            token => token,
        };
        if let Some(TokenTree::Literal(literal)) = &token
            && let Ok(string) = syn::parse_str::<syn::LitStr>(&literal.to_string())
        {
            return Ok((string.value(), literal.span()));
        }
        Err(self.mistake(&format!("expected {what}")))
    }

    /// A number or `true`/`false`, as WGSL's overrides take them.
    fn number(&mut self) -> Result<f64, Mistake> {
        let negative = self.take_punct('-');
        let token = self.next();
        let text = token.as_ref().map(ToString::to_string).unwrap_or_default();
        let digits = text.trim_end_matches(['u', 'i', 'f', 'h']).replace('_', "");
        let value = match text.as_str() {
            "true" => Some(1.0),
            "false" => Some(0.0),
            _ => digits.parse::<f64>().ok(),
        };
        let value = value.ok_or_else(|| self.mistake("expected a number, `true` or `false`"))?;
        Ok(if negative { -value } else { value })
    }
}
