//! From a file's bytes to samples of one channel.
//!
//! The format is told by the contents, whatever the file is called. Channels are averaged. A packet that the decoder refuses
//! is passed over, as players do, if no more than one in twenty is.

use std::fs::File;
use std::io::ErrorKind;
use std::path::Path;

use equipoise_data::caught;
use symphonia::core::codecs::audio::well_known::CODEC_ID_OPUS;
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, FormatReader, Track, TrackType};
use symphonia::core::io::{MediaSourceStream, MediaSourceStreamOptions};
use symphonia::core::meta::MetadataOptions;
use symphonia::core::packet::Packet;
use symphonia::default::{get_codecs, get_probe};

use super::beginning::{Beginning, Length};
use super::fault::SoundFault;

/// Samples a second that are admitted.
const RATES: std::ops::RangeInclusive<u32> = 1_000..=384_000;
/// Packets of which one may be refused.
const PACKETS_PER_FAULT: u64 = 20;
/// Packets that may be refused whatever their share: an MP3 that was cut out of another needs what came before.
const FEW_FAULTS: u64 = 2;
/// Packets that may be refused before the share counts.
const FIRST_FAULTS: u64 = 8;
/// Packets of a second, of all tracks, beyond which something is wrong.
const MOST_PACKETS: u64 = 2_000;
/// Samples beyond this are no sound; full scale is 1.
const LOUDEST: f32 = 1e6;
/// Seconds that may be lacking where a length is told in frames.
const NEAR: f64 = 0.1;

/// What takes samples of one channel, with how many make a second.
type Sink<'a> = &'a mut dyn FnMut(u32, &[f32]);

/// Decodes a file, up to `seconds` of it. Returns whether it goes on after that.
///
/// # Errors
/// Whatever makes the sound unusable. A decoder that panics has found a broken file.
pub(super) fn decode(path: &Path, seconds: u32, each: Sink) -> Result<bool, SoundFault> {
    let unreadable = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => SoundFault::NoFile,
        _ => SoundFault::Unreadable(error.to_string()),
    };
    // Before the file is opened: a pipe would wait for ever.
    let facts = std::fs::metadata(path).map_err(unreadable)?;
    if !facts.is_file() {
        return Err(SoundFault::Unreadable("not a file".into()));
    }
    if facts.len() == 0 {
        return Err(SoundFault::Empty);
    }
    let mut file = File::open(path).map_err(unreadable)?;
    let beginning = Beginning::of(&mut file).map_err(unreadable)?;
    let format = beginning.format;
    let panicked = |_| Err(SoundFault::broken(format)(&"the decoder gave up"));
    caught(|| Decoding::start(file, beginning)?.run(seconds, each)).unwrap_or_else(panicked)
}

/// A file that is being decoded.
struct Decoding {
    beginning: Beginning,
    reader: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    /// The track that is decoded.
    track: u32,
    /// Seconds that the format promises.
    promised: Option<f64>,
    /// Samples a second of what was decoded; 0 before anything was.
    rate: u32,
    /// Samples of each channel.
    frames: u64,
    packets: u64,
    refused: u64,
    /// What the decoder said of the packet that it refused last.
    reason: String,
    interleaved: Vec<f32>,
    mono: Vec<f32>,
}

/// Why there are no more packets.
enum End {
    /// The sound is over.
    Over,
    /// The file is over, and the format expected more.
    File,
    /// Enough was decoded.
    Enough,
}

impl Decoding {
    fn start(file: File, beginning: Beginning) -> Result<Decoding, SoundFault> {
        let stream = MediaSourceStream::new(Box::new(file), MediaSourceStreamOptions::default());
        let probed =
            get_probe().probe(&Hint::new(), stream, FormatOptions::default(), MetadataOptions::default());
        let reader = probed.map_err(|error| unopened(&beginning, &error))?;
        let (track, decoder, promised) = decoder(&*reader, &beginning)?;
        Ok(Decoding {
            beginning,
            reader,
            decoder,
            track,
            promised,
            rate: 0,
            frames: 0,
            packets: 0,
            refused: 0,
            reason: String::new(),
            interleaved: Vec::new(),
            mono: Vec::new(),
        })
    }

    fn run(mut self, seconds: u32, each: Sink) -> Result<bool, SoundFault> {
        let most = MOST_PACKETS.saturating_mul(u64::from(seconds) + 5);
        let end = loop {
            let packet = match self.next()? {
                Ok(packet) => packet,
                Err(end) => break end,
            };
            self.packets += 1;
            if self.packets > most {
                return Err(self.broken(&"more packets than there can be"));
            }
            if packet.track_id == self.track && self.packet(&packet, seconds, each)? {
                break End::Enough;
            }
        };
        self.refuse_faults(FEW_FAULTS)?;
        match end {
            End::Enough => return Ok(true),
            End::File if self.beginning.length != Length::Open => return Err(self.cut_off()),
            End::File | End::Over => {}
        }
        if self.promised.is_some_and(|promised| self.there() < promised) {
            return Err(self.cut_off());
        }
        match self.frames {
            0 => Err(SoundFault::NoSound(self.beginning.format)),
            _ => Ok(false),
        }
    }

    /// The next packet of any track, or why there is none.
    fn next(&mut self) -> Result<Result<Packet, End>, SoundFault> {
        loop {
            match self.reader.next_packet() {
                Ok(Some(packet)) => return Ok(Ok(packet)),
                Ok(None) => return Ok(Err(End::Over)),
                Err(Error::IoError(error)) if error.kind() == ErrorKind::UnexpectedEof => {
                    return Ok(Err(End::File));
                }
                // Another stream follows in the same file.
                Err(Error::ResetRequired) => {
                    (self.track, self.decoder, self.promised) = decoder(&*self.reader, &self.beginning)?;
                }
                Err(error) => return Err(self.broken(&error)),
            }
        }
    }

    /// Decodes a packet of the track; returns whether there is more of it than may be decoded.
    fn packet(&mut self, packet: &Packet, seconds: u32, each: Sink) -> Result<bool, SoundFault> {
        let format = self.beginning.format;
        let buffer = match self.decoder.decode(packet) {
            Ok(buffer) => buffer,
            Err(error @ (Error::DecodeError(_) | Error::IoError(_))) => {
                (self.refused, self.reason) = (self.refused + 1, error.to_string());
                return self.refuse_faults(FIRST_FAULTS).map(|()| false);
            }
            Err(error) => return Err(self.broken(&error)),
        };
        let (rate, channels) = (buffer.spec().rate(), buffer.spec().channels().count().max(1));
        buffer.copy_to_vec_interleaved(&mut self.interleaved);
        if self.interleaved.is_empty() {
            return Ok(false);
        }
        if !RATES.contains(&rate) {
            return Err(SoundFault::Rate(rate));
        }
        if self.rate != 0 && self.rate != rate {
            let problem = format!("{} samples a second, then {rate}", self.rate);
            return Err(SoundFault::broken(format)(&problem));
        }
        if self.interleaved.iter().any(|sample| sample.is_nan() || sample.abs() > LOUDEST) {
            return Err(SoundFault::broken(format)(
                &"samples that are not numbers, or far beyond full scale",
            ));
        }
        self.rate = rate;
        self.mono.clear();
        let frames = self.interleaved.chunks_exact(channels);
        self.mono.extend(frames.map(|frame| frame.iter().sum::<f32>() / channels as f32));
        let room = u64::from(rate) * u64::from(seconds) - self.frames;
        let taken = self.mono.len().min(usize::try_from(room).unwrap_or(usize::MAX));
        each(rate, &self.mono[..taken]);
        self.frames += taken as u64;
        Ok(taken < self.mono.len())
    }

    /// Refuses a file of which too many packets were, beyond the first so many.
    fn refuse_faults(&self, first: u64) -> Result<(), SoundFault> {
        if self.refused <= first || self.refused * PACKETS_PER_FAULT <= self.packets {
            return Ok(());
        }
        let problem = format!("{} of {} packets refused: {}", self.refused, self.packets, self.reason);
        Err(self.broken(&problem))
    }

    fn broken(&self, problem: &dyn std::fmt::Display) -> SoundFault {
        SoundFault::broken(self.beginning.format)(problem)
    }

    /// Seconds that were decoded.
    fn there(&self) -> f64 {
        self.frames as f64 / f64::from(self.rate.max(1))
    }

    fn cut_off(&self) -> SoundFault {
        let promised = self.promised.map_or_else(String::new, |promised| format!(" of {promised:.2}"));
        let there = format!(": {:.2}{promised} seconds can be read", self.there());
        SoundFault::CutOff { format: self.beginning.format, there }
    }
}

/// Why a file could not be opened.
fn unopened(beginning: &Beginning, error: &Error) -> SoundFault {
    let format = beginning.format;
    match error {
        Error::IoError(error) if error.kind() == ErrorKind::UnexpectedEof => {
            SoundFault::CutOff { format, there: String::new() }
        }
        Error::Unsupported(what) if what.contains("no suitable format") => {
            if beginning.is_known() {
                SoundFault::broken(format)(&"nothing readable follows its first bytes")
            } else {
                SoundFault::UnknownFormat(beginning.bytes.clone())
            }
        }
        error => SoundFault::broken(format)(error),
    }
}

type Chosen = (u32, Box<dyn AudioDecoder>, Option<f64>);

/// The track that is decoded, its decoder, and the seconds that the format promises.
fn decoder(reader: &dyn FormatReader, beginning: &Beginning) -> Result<Chosen, SoundFault> {
    let format = beginning.format;
    let track = reader.default_track(TrackType::Audio).ok_or(SoundFault::NoSound(format))?;
    let parameters = track.codec_params.as_ref().and_then(|parameters| parameters.audio());
    let parameters = parameters.ok_or(SoundFault::NoSound(format))?;
    // Where the length is guessed, what lies beyond it is sound all the same.
    let options = AudioDecoderOptions::default().gapless(beginning.length != Length::Untold);
    let decoder = get_codecs().make_audio_decoder(parameters, &options).map_err(|error| match error {
        Error::Unsupported(_) => {
            let codec = if parameters.codec == CODEC_ID_OPUS { " (Opus)" } else { "" };
            SoundFault::UnknownCodec { format, codec }
        }
        error => SoundFault::broken(format)(&error),
    })?;
    Ok((track.id, decoder, promised(track, parameters, beginning.length)))
}

fn promised(track: &Track, parameters: &AudioCodecParameters, length: Length) -> Option<f64> {
    let seconds = track.num_frames? as f64 / f64::from(parameters.sample_rate?);
    match length {
        Length::Exact => Some(seconds),
        Length::Near => Some(seconds - NEAR),
        Length::Untold | Length::Open => None,
    }
}
