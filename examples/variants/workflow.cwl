cwlVersion: v1.2
class: Workflow
label: From reads to variants, one image for all tools
requirements:
  ScatterFeatureRequirement: {}
inputs:
  genome: File
  samples: string[]
  reads: {type: {type: array, items: {type: array, items: File}}}
steps:
  count:
    run: count.cwl
    scatter: [sample, reads]
    scatterMethod: dotproduct
    in: {sample: samples, reads: reads}
    out: [count]
  index:
    run: index.cwl
    in: {genome: genome}
    out: [indexed]
  align:
    run: align.cwl
    scatter: [sample, reads]
    scatterMethod: dotproduct
    in: {genome: index/indexed, sample: samples, reads: reads}
    out: [alignment]
  sort:
    run: sort.cwl
    scatter: alignment
    in: {alignment: align/alignment}
    out: [sorted]
  call:
    run: call.cwl
    scatter: sorted
    in: {genome: genome, sorted: sort/sorted}
    out: [variants]
  report:
    run: report.cwl
    in: {variants: call/variants}
    out: [plot]
outputs:
  counts: {type: 'File[]', outputSource: count/count}
  alignments: {type: 'File[]', outputSource: sort/sorted}
  variants: {type: 'File[]', outputSource: call/variants}
  plot: {type: File, outputSource: report/plot}
