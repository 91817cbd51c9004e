// Sentinel-2 over one mine: reflectance ×10000 of BANDS in their order, the scene classification, the data mask.
// tasks/acquire/request.py puts BANDS and WITH_SCL (L2A only) in front.
const MASKS = WITH_SCL ? ["SCL", "dataMask"] : ["dataMask"];

function setup() {
  return {
    input: [{
      bands: BANDS.concat(MASKS),
      units: BANDS.map(() => "REFLECTANCE").concat(MASKS.map(() => "DN"))
    }],
    output: { id: "default", bands: BANDS.length + MASKS.length, sampleType: "UINT16" }
  };
}

function evaluatePixel(sample) {
  const reflectance = BANDS.map(band => Math.round(sample[band] * 10000));
  return reflectance.concat(MASKS.map(mask => sample[mask]));
}
