// Sentinel-1 over one mine: linear gamma0 of BANDS (VV, VH) in their order and the data mask.
// tasks/acquire/request.py puts BANDS in front; the request asks for terrain correction and gamma0.
function setup() {
  return {
    input: [{
      bands: BANDS.concat(["dataMask"]),
      units: BANDS.map(() => "LINEAR_POWER").concat(["DN"])
    }],
    output: { id: "default", bands: BANDS.length + 1, sampleType: "FLOAT32" }
  };
}

function evaluatePixel(sample) {
  return BANDS.map(band => sample[band]).concat([sample.dataMask]);
}
