//! `preprocessor_config.json`: what is done to a picture, as image processors of the Hugging Face hub write it.
//!
//! Fields that a file leaves out have the default of the processor it names; files of early models name none, for
//! which the model decides.

use serde::Deserialize;
use serde_json::Value;

use super::kernel::Kernel;
use super::settings::{MeanAndStd, Preprocessing, Resize};

/// The file's fields that say what happens to pixels.
#[derive(Debug, Default, Deserialize)]
struct Fields {
    #[serde(alias = "feature_extractor_type")]
    image_processor_type: Option<String>,
    do_resize: Option<bool>,
    size: Option<Value>,
    resample: Option<Value>,
    do_center_crop: Option<bool>,
    crop_size: Option<Value>,
    do_rescale: Option<bool>,
    rescale_factor: Option<f64>,
    do_normalize: Option<bool>,
    image_mean: Option<Value>,
    image_std: Option<Value>,
    do_pad: Option<bool>,
    crop_pct: Option<f64>,
}

/// What a processor does where its file is silent.
struct Processor {
    name: &'static str,
    model_types: &'static [&'static str],
    edge: usize,
    /// Whether one number as `size` is that of a square, not of the shorter edge.
    square: bool,
    kernel: Kernel,
    crop: Option<usize>,
    mean: [f32; 3],
    std: [f32; 3],
}

const HALVES: [f32; 3] = [0.5; 3];
const CLIP_MEAN: [f32; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
const IMAGENET_MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const IMAGENET_STD: [f32; 3] = [0.229, 0.224, 0.225];
const CLIP_STD: [f32; 3] = [0.268_629_54, 0.261_302_6, 0.275_777_1];

#[rustfmt::skip]
const PROCESSORS: [Processor; 6] = [
    Processor { name: "CLIP", model_types: &["clip", "clip_vision_model"], edge: 224, square: false,
        kernel: Kernel::Bicubic, crop: Some(224), mean: CLIP_MEAN, std: CLIP_STD },
    Processor { name: "ViT", model_types: &["vit"], edge: 224, square: true,
        kernel: Kernel::Bilinear, crop: None, mean: HALVES, std: HALVES },
    Processor { name: "Bit", model_types: &["dinov2", "dinov2_with_registers"], edge: 224, square: false,
        kernel: Kernel::Bicubic, crop: Some(224), mean: CLIP_MEAN, std: CLIP_STD },
    Processor { name: "Siglip", model_types: &["siglip", "siglip_vision_model"], edge: 224, square: true,
        kernel: Kernel::Bicubic, crop: None, mean: HALVES, std: HALVES },
    Processor { name: CONVNEXT, model_types: &["resnet", "convnext", "convnextv2"], edge: 384, square: false,
        kernel: Kernel::Bilinear, crop: None, mean: IMAGENET_MEAN, std: IMAGENET_STD },
    Processor { name: "DeiT", model_types: &["deit"], edge: 256, square: true,
        kernel: Kernel::Bicubic, crop: Some(224), mean: HALVES, std: HALVES },
];

/// Rows and columns that are kept of the middle of a picture.
type Crop = Option<(usize, usize)>;

/// The processor of ConvNeXt and ResNet, which has a way of its own to crop.
const CONVNEXT: &str = "ConvNext";

/// From this edge on it distorts pictures instead of cropping them.
const WHOLE: usize = 384;

/// Share of the shorter edge that it keeps, unless told otherwise.
const KEPT: f64 = 224.0 / 256.0;

/// Reads the settings from the file's text. `model_type` is that of `config.json`.
///
/// # Errors
/// What is wrong, without the name of the file.
pub(crate) fn parse(text: &str, model_type: &str) -> Result<Preprocessing, String> {
    let whole: Value = serde_json::from_str(text).map_err(|error| format!("not JSON: {error}"))?;
    let inner = whole.get("image_processor").cloned().unwrap_or(whole);
    let fields: Fields = serde_json::from_value(inner).map_err(|error| error.to_string())?;
    let processor = processor(&fields, model_type)?;
    if fields.do_pad == Some(true) {
        return Err("do_pad = true: expected false, padding is not supported".into());
    }
    let (resize, crop) = if processor.name == CONVNEXT {
        enlarged(&fields, resizing(&fields, processor)?)?
    } else if let Some(percent) = fields.crop_pct {
        return Err(format!("crop_pct = {percent}: expected no such field, it is not supported"));
    } else {
        (resizing(&fields, processor)?, cropping(&fields, processor)?)
    };
    let settings = Preprocessing {
        resize,
        crop,
        rescale: fields.do_rescale.unwrap_or(true).then(|| fields.rescale_factor.unwrap_or(1.0 / 255.0)),
        normalise: normalising(&fields, processor)?,
    };
    match settings.output_size() {
        Some(_) => Ok(settings),
        None => {
            Err("pictures keep proportions of their own: expected a crop_size, or a size with height and \
                     width"
                .into())
        }
    }
}

fn processor(fields: &Fields, model_type: &str) -> Result<&'static Processor, String> {
    let Some(named) = &fields.image_processor_type else {
        let found = PROCESSORS.iter().find(|processor| processor.model_types.contains(&model_type));
        return found.ok_or_else(|| "no image_processor_type: expected one".into());
    };
    let short = ["ImageProcessorFast", "ImageProcessorPil", "ImageProcessor", "FeatureExtractor"]
        .iter()
        .find_map(|ending| named.strip_suffix(ending));
    let found = PROCESSORS.iter().find(|processor| Some(processor.name) == short);
    found.ok_or_else(|| {
        let names: Vec<String> = PROCESSORS.iter().map(|p| format!("{}ImageProcessor", p.name)).collect();
        format!("image_processor_type = \"{named}\": expected one of {}", names.join(", "))
    })
}

fn resizing(fields: &Fields, processor: &Processor) -> Result<Option<(Resize, Kernel)>, String> {
    if !fields.do_resize.unwrap_or(true) {
        return Ok(None);
    }
    let target = match &fields.size {
        None if processor.square => Resize::Exact { height: processor.edge, width: processor.edge },
        None => Resize::ShortestEdge(processor.edge),
        Some(value) => target(value, processor.square)?,
    };
    let kernel = match &fields.resample {
        None => processor.kernel,
        Some(value) => value.as_u64().and_then(Kernel::from_number).ok_or_else(|| {
            format!("resample = {value}: expected 0 (nearest), 1 (lanczos), 2 (bilinear), 3 (bicubic), 4 (box) or 5 (hamming)")
        })?,
    };
    Ok(Some((target, kernel)))
}

/// What the processor of ConvNeXt makes of an edge `e`: pictures whose shorter edge is `e / crop_pct`, of which the middle `e x e`
/// is kept; squares of `e` from 384 on.
fn enlarged(
    fields: &Fields,
    resize: Option<(Resize, Kernel)>,
) -> Result<(Option<(Resize, Kernel)>, Crop), String> {
    let (edge, kernel) = match resize {
        Some((Resize::ShortestEdge(edge), kernel)) => (edge, kernel),
        Some(_) => return Err("size has height and width: expected shortest_edge".into()),
        None => return Ok((None, None)),
    };
    if edge >= WHOLE {
        return Ok((Some((Resize::Exact { height: edge, width: edge }, kernel)), None));
    }
    let kept = fields.crop_pct.unwrap_or(KEPT);
    if !(0.1..=1.0).contains(&kept) {
        return Err(format!("crop_pct = {kept}: expected 0.1 to 1"));
    }
    let larger = Resize::ShortestEdge((edge as f64 / kept) as usize);
    Ok((Some((larger, kernel)), Some((edge, edge))))
}

fn target(value: &Value, square: bool) -> Result<Resize, String> {
    if let Some(edge) = edge(value) {
        return Ok(if square {
            Resize::Exact { height: edge, width: edge }
        } else {
            Resize::ShortestEdge(edge)
        });
    }
    let shortest = value.get("shortest_edge").filter(|edge| !edge.is_null());
    let longest = value.get("longest_edge").filter(|edge| !edge.is_null());
    match (height_and_width(value), shortest.and_then(edge), longest) {
        (Some((height, width)), _, _) => Ok(Resize::Exact { height, width }),
        (None, Some(edge), None) => Ok(Resize::ShortestEdge(edge)),
        _ => Err(format!("size = {value}: expected a number of pixels, shortest_edge, or height and width")),
    }
}

/// Pixels of an edge: at least 1, and no more than any model reads.
fn edge(value: &Value) -> Option<usize> {
    value.as_u64().filter(|edge| (1..=4096).contains(edge)).map(|edge| edge as usize)
}

fn height_and_width(value: &Value) -> Option<(usize, usize)> {
    Some((edge(value.get("height")?)?, edge(value.get("width")?)?))
}

fn cropping(fields: &Fields, processor: &Processor) -> Result<Option<(usize, usize)>, String> {
    if !fields.do_center_crop.unwrap_or(processor.crop.is_some()) {
        return Ok(None);
    }
    match &fields.crop_size {
        None => {
            let edge = processor.crop.ok_or("do_center_crop = true: expected a crop_size")?;
            Ok(Some((edge, edge)))
        }
        Some(value) => {
            edge(value).map(|edge| (edge, edge)).or_else(|| height_and_width(value)).map(Some).ok_or_else(
                || format!("crop_size = {value}: expected a number of pixels, or height and width"),
            )
        }
    }
}

fn normalising(fields: &Fields, processor: &Processor) -> Result<Option<MeanAndStd>, String> {
    if !fields.do_normalize.unwrap_or(true) {
        return Ok(None);
    }
    let mean = three("image_mean", fields.image_mean.as_ref(), processor.mean)?;
    let std = three("image_std", fields.image_std.as_ref(), processor.std)?;
    match std.iter().find(|std| **std <= 0.0) {
        Some(std) => Err(format!("image_std = {std}: expected numbers above 0")),
        None => Ok(Some((mean, std))),
    }
}

/// One number for all channels, or one for each.
fn three(field: &str, value: Option<&Value>, default: [f32; 3]) -> Result<[f32; 3], String> {
    let Some(value) = value else { return Ok(default) };
    let finite =
        |value: &Value| value.as_f64().map(|number| number as f32).filter(|number| number.is_finite());
    let numbers = match value {
        Value::Array(values) => values.iter().map(finite).collect::<Option<Vec<f32>>>(),
        one => finite(one).map(|number| vec![number; 3]),
    };
    numbers
        .and_then(|numbers| numbers.try_into().ok())
        .ok_or_else(|| format!("{field} = {value}: expected three numbers"))
}
